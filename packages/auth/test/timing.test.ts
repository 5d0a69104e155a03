// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { compare, deskOf } from './timing.js'

/** `scripts/check-timing` measures the slow schemes at the cost that `doveadm pw` gives them; here they are made cheap. */
const FULL = process.env['PORTICO_TIMING'] === 'full'
const PAIRS = 250
/** Five standard deviations of a fair coin tossed for each pair: that one of these tests is unlucky happens once in 10⁵ runs. */
const MOST_APART = 40
/**
 * What is below cannot be seen through a network before the throttle ends the measuring: it allows one address some hundred wrong
 * sign-ins, and holds them back. Fresh memory alone makes this much. The first is in microseconds, the second a part of the whole.
 */
const [SHORTEST_SEEN, LEAST_PART_SEEN] = [25, 0.1]

const PLAIN = '{PLAIN}secret'
const SSHA512 = '{SSHA512}TS/qtKlQDC94inuvd/Kn+C/Mxu0ZkhXe75zc1BzAglEE8FCl0Peo0oqh5xT2HGzmsLf+C/a0kTr+bV0TL5uK+qyWtNU='
const SCRAM_1 = '{SCRAM-SHA-1}4096,g1Qem8xrsFYkKlHvxIUyVg==,3E0oWi1MAg552YogjH8Czte3nhg=,IDK2UTN9Y/HYBiFvWylARK7fT60='
const SCRAM_256 =
  '{SCRAM-SHA-256}4096,lJhcxYFSwSm8rDrpqseH7w==,k/F9Ux28KLb/+t67TBcwGLIo0afAhvjtVjHXc3ROR9M=,HjCnnpVdyonjkQvz7opAOd+h3z67vvRCybLS0CWhpco='
const CRAM = '{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56'

const CHEAP = [
  '{SHA512-CRYPT}$6$rounds=1000$hqfM8ILqCgYHE9zh$gEXFHvHdKNikBZFk6/yw57hGcim78bxN0BKZXHWXc2HfmMASuwq4ThK5J6PBSPCvvUBcNqsmUCzHjXogUrgHS0',
  '{SHA256-CRYPT}$5$rounds=1000$/FFr9jnAq9davRCr$wb9HzknmcUAFyRBUiSjpo9eP6bqFAFJSu60x9KMHkK.',
  '{MD5-CRYPT}$1$/3bkDGPX$0iQz37Mammfj28.G3oneV/',
  '{BLF-CRYPT}$2y$04$OpxcG7g7sBu23nJVndiPQefom5W0g22hrHwu7orygZ51Rkfa3vg.W',
  '{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '{PBKDF2}$1$De9jI1EY5ws0F88X$1000$b4cf94546bda5569db3469769034bc185d187845',
]

const AS_DOVECOT_MAKES_THEM = [
  '{SHA512-CRYPT}$6$alwkKvGZiVbpfLqe$dvZVPige9P2.UEr6TWV.zFomYyjHUTxdMwhJuLOZtVZ5GygAPNZuzcp.pLsQvDT7oqY/3kOKQ0GhtEVBjxPVS0',
  '{SHA256-CRYPT}$5$E.HwO9v7m6T6xWA3$l44NbDrmIk9kjL9cKCfYbwzmMIZ64hPFZRBRo9o1aK0',
  '{MD5-CRYPT}$1$/3bkDGPX$0iQz37Mammfj28.G3oneV/',
  '{BLF-CRYPT}$2y$05$VSZcwM4JlEX7ZiF4toR/zuUk7sVvcfJfaBJrZCYXAcMLWcQU3IKs6',
  '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$pTPnow+KXXvD5r2fYYcgdA$1f1MlDrj8OseN2sr7xSgVzxSJHptvBZ7baeDteM75mU',
  '{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$47CxKSHiMvTeUmdaWdE2cQ$tIIEZaTG82al1KpKRNiJkcOriw2OAuvZfZduV588rQI',
  '{PBKDF2}$1$J5WKr/cbggX2nPGi$5000$b2f6d5c2fb11325b40843986017f6328346056a2',
]

const DIGESTS = [
  PLAIN,
  '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  '{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=',
  SSHA512,
  CRAM,
  SCRAM_1,
  SCRAM_256,
]

describe('unknown user and wrong password take the same time: of 250 pairs, either is slower in about half, or by next to nothing', () => {
  test.each([
    ['PLAIN', PLAIN],
    ['LOGIN', SSHA512],
    ['SCRAM-SHA-1', PLAIN],
    ['SCRAM-SHA-1', SCRAM_1],
    ['SCRAM-SHA-256', PLAIN],
    ['SCRAM-SHA-256', SCRAM_256],
    ['CRAM-MD5', PLAIN],
    ['CRAM-MD5', CRAM],
    ['APOP', PLAIN],
  ])('%s with %s', { timeout: 120_000 }, async (mechanism, stored) => expectAlike(mechanism, stored))

  test.each([...DIGESTS, ...(FULL ? AS_DOVECOT_MAKES_THEM : CHEAP)])(
    'stored as %s',
    { timeout: FULL ? 900_000 : 120_000 },
    async (stored) => expectAlike('PLAIN', stored),
  )
})

async function expectAlike(mechanism: string, stored: string): Promise<void> {
  const compared = await compare(deskOf(mechanism, stored), PAIRS)
  const { known, unknown, longer } = compared
  const apart = Math.abs(known - unknown)
  if (apart < Math.max(SHORTEST_SEEN, Math.max(known, unknown) * LEAST_PART_SEEN)) return
  expect(Math.abs(longer - PAIRS / 2), JSON.stringify(compared)).toBeLessThan(MOST_APART)
}

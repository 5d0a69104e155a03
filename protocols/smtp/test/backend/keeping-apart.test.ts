// SPDX-License-Identifier: MIT
import { NEVER, Secret } from '@portico/base'
import type { BackendDriver, BackendPool } from '@portico/pool'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressOf, logIn, nameOf, PATIENCE, type Person, poolOf, sendMessage, settingsOf } from './support.js'
import { ToyMta, type ToyRules } from './toy-mta.js'

/** One visit of a person: so many messages, and how it ends. */
interface Visit {
  readonly signedIn: boolean
  readonly messages: number
  readonly ending: 'give-back' | 'after-mail' | 'mid-message' | 'drop'
}

/** What goes wrong at the server, drawn anew for every command. */
interface Weather {
  readonly refuse: number
  readonly hangUp: number
  readonly forget: number
  readonly seed: number
}

const visit: fc.Arbitrary<Visit> = fc.record({
  signedIn: fc.boolean(),
  messages: fc.integer({ min: 0, max: 2 }),
  ending: fc.constantFrom('give-back', 'give-back', 'give-back', 'after-mail', 'mid-message', 'drop'),
})
const MASTER = new Secret('master-pw')
const percent = fc.constantFrom(0, 0, 5, 20)
const plan = fc.record({
  dialect: fc.constantFrom('smtp', 'lmtp'),
  clientFacts: fc.constantFrom('xclient', 'xforward', 'none'),
  xclient: fc.constantFrom<ToyRules['xclient']>('always', 'once', 'logins', 'no'),
  xforward: fc.boolean(),
  identity: fc.constantFrom('xclient', 'master'),
  pipelining: fc.boolean(),
  max: fc.integer({ min: 1, max: 3 }),
  weather: fc.record({ refuse: percent, hangUp: percent, forget: percent, seed: fc.nat() }),
  people: fc.array(fc.array(visit, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
})
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

/** Somebody who signs in and somebody who does not, in turn on the only connection that there may be. */
const TAKING_TURNS: Plan = {
  dialect: 'smtp',
  clientFacts: 'none',
  xclient: 'no',
  xforward: false,
  identity: 'master',
  pipelining: true,
  max: 1,
  weather: { refuse: 0, hangUp: 0, forget: 0, seed: 0 },
  people: [true, false].map((signedIn) => [{ signedIn, messages: 1, ending: 'give-back' }]),
}

/** The driver as it is, or one that someone has broken. */
type Change = (driver: BackendDriver) => BackendDriver

/** Runs all people at once, and returns the messages that the server took on behalf of somebody else than who sent them. */
async function crossings(drawn: Plan, change: Change = (driver) => driver): Promise<readonly string[]> {
  const { dialect, xclient, xforward, identity, clientFacts, pipelining, max, weather, people } = drawn
  await using toy = await ToyMta.start({ dialect, xclient, xforward, auth: true, pipelining, fault: faults(weather) })
  await using pool = poolOf(settingsOf({ clientFacts }), { max, change })
  const backend = toy.backend({
    identity: identity === 'xclient' ? { kind: 'xclient' } : { kind: 'master', user: 'portico', secret: MASTER },
  })
  await Promise.all(people.map((visits, number) => run(pool, backend, number, visits)))
  return toy.taken.flatMap(({ login, address, text }) => {
    const [number, signedIn] = text.trim().split(' ')
    const person = { number: Number(number), signedIn: signedIn === 'true' }
    // A server that has stopped trusting us is not told addresses; it must not hold on to somebody else's.
    const right = login === nameOf(person) && (address === '' || address === addressOf(person))
    return right ? [] : [`${login}@${address} instead of ${nameOf(person)}@${addressOf(person)}`]
  })
}

async function run(
  pool: BackendPool,
  backend: Parameters<BackendPool['acquire']>[0],
  number: number,
  visits: readonly Visit[],
) {
  for (const { signedIn, messages, ending } of visits) {
    const acquired = await pool.acquire(backend, NEVER)
    if (acquired.kind === 'failed') continue
    const person: Person = { number, signedIn }
    const session = await logIn(acquired.lease, person)
    if (session === undefined) continue
    for (let count = 0; count < messages && session.usable; count++) await sendMessage(session, `${number} ${signedIn}`)
    if (session.usable && ending !== 'give-back')
      await session.begin('MAIL FROM:<x@test.lan>', 'RCPT TO:<a@test.lan>', PATIENCE, NEVER)
    if (session.usable && ending === 'mid-message') await session.command('DATA', PATIENCE, NEVER)
    if (ending === 'drop') session.drop()
    else session.giveBack()
  }
}

function faults({ refuse, hangUp, forget, seed }: Weather): ToyRules['fault'] {
  let state = seed
  return (verb) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const drawn = (state >>> 8) % 100
    // Who may not even say hello would never get anywhere.
    if (drawn < refuse) return verb === 'EHLO' || verb === 'LHLO' ? undefined : 'refuse'
    if (drawn < refuse + hangUp) return 'hang-up'
    return drawn < refuse + hangUp + forget ? 'forget-xclient' : undefined
  }
}

describe('people who share the connections to a mail server', () => {
  test('never send as one another, whatever goes wrong there', async () => {
    const property = fc.asyncProperty(plan, async (drawn) => {
      expect(await crossings(drawn)).toEqual([])
    })
    await fc.assert(property, { numRuns: 100 })
  }, 60_000)

  test('would, if connections were lent again without their proof: the property can fail', async () => {
    const careless: Change = (driver) => ({ ...driver, reset: async () => true })
    expect(await crossings(TAKING_TURNS)).toEqual([])
    expect(await crossings(TAKING_TURNS, careless)).toContain('user0@ instead of @10.0.0.1')
  }, 60_000)
})

describe('a hundred people, one message each', () => {
  test.each<[string, Partial<ToyRules>, string, boolean, number]>([
    ['nothing is told: one connection', {}, 'xclient', false, 1],
    ['by XFORWARD: one connection', { xforward: true }, 'xclient', false, 1],
    [
      'by XCLIENT, where it is taken again and again (Dovecot): one connection',
      { dialect: 'lmtp', xclient: 'always' },
      'xclient',
      false,
      1,
    ],
    ['by XCLIENT, where it is taken once (Postfix): one each', { xclient: 'once' }, 'xclient', false, 100],
    [
      'the address by XFORWARD and every second one signed in by XCLIENT (Postfix): one connection',
      { xclient: 'once', xforward: true },
      'xforward',
      true,
      1,
    ],
  ])('%s', async (_label, rules, clientFacts, half, connections) => {
    await using toy = await ToyMta.start(rules)
    await using pool = poolOf(settingsOf({ clientFacts }))
    const backend = toy.backend({ identity: { kind: half ? 'xclient' : 'none' } })
    for (let number = 0; number < 100; number++) {
      const acquired = await pool.acquire(backend, NEVER)
      if (acquired.kind === 'failed') throw acquired.error
      const session = await logIn(acquired.lease, { number, signedIn: half && number % 2 === 0 })
      if (session === undefined) throw new Error('the toy refused the login')
      expect(await sendMessage(session, `${number}`)).toBe(true)
      session.giveBack()
      await expect.poll(() => pool.stats()[0]?.lent, { interval: 1 }).toBe(0)
    }
    expect(toy.taken.map(({ text }) => Number(text))).toEqual(Array.from({ length: 100 }, (_, number) => number))
    expect(toy.accepted).toBe(connections)
  })

  test('an AUTH is never taken back: one connection each', async () => {
    await using toy = await ToyMta.start({ auth: true })
    await using pool = poolOf(settingsOf())
    const backend = toy.backend({ identity: { kind: 'master', user: 'portico', secret: MASTER } })
    for (let number = 0; number < 5; number++) {
      const acquired = await pool.acquire(backend, NEVER)
      if (acquired.kind === 'failed') throw acquired.error
      const session = await logIn(acquired.lease, { number, signedIn: true })
      expect(session && (await sendMessage(session, `${number}`))).toBe(true)
      session?.giveBack()
      await expect.poll(() => pool.stats()[0]?.lent, { interval: 1 }).toBe(0)
    }
    expect(toy.taken.map(({ login }) => login)).toEqual(['user0', 'user1', 'user2', 'user3', 'user4'])
    expect(toy.accepted).toBe(5)
    // The last one may still be on its way.
    await expect.poll(() => toy.received.every((said) => said.endsWith('QUIT\r\n'))).toBe(true)
  })
})

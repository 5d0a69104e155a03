// SPDX-License-Identifier: MIT
import { type AuthFailureReason, CancellationSource } from '@portico/base'
import type { Exchange, ExchangeStep, Mechanism, MechanismContext, VerifierAnswer } from '@portico/sasl'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** A mechanism that shows its password, and the client's side of it. */
export interface MechanismUnderTest {
  readonly mechanism: Mechanism
  /** The client's responses in their order; the first one may go along as the initial response. */
  responses(credentials: { readonly authcid: string; readonly password: string }): readonly Uint8Array[]
}

const ALICE = { authcid: 'alice', password: 'open sesame' }
const BOB = { authcid: 'bob', password: 'swordfish' }
const MIB = 1024 * 1024

/** What every server mechanism that asks `verifyPlain` must keep (RFC 4422 sections 3 to 5). */
export function mechanismCompliance({ mechanism, responses }: MechanismUnderTest): void {
  const begin = (verifier: RecordingVerifier, signal = new CancellationSource()): Exchange =>
    mechanism.begin(contextOf(verifier, signal))

  describe(`mechanism: ${mechanism.name}`, () => {
    test('its name is a SASL name: 1 to 20 capitals, digits, hyphens, underscores (RFC 4422 section 3.1)', () => {
      expect(mechanism.name).toMatch(/^[A-Z0-9_-]{1,20}$/)
    })

    test('without an initial response it asks, and then takes what it would have taken at first', async () => {
      const verifier = recordingVerifier()
      const exchange = begin(verifier)
      expect((await exchange.step(undefined)).kind).toBe('challenge')
      expect(await run(exchange, responses(ALICE))).toEqual({ kind: 'success', authcid: 'alice' })
      expect(verifier.asked).toEqual([{ ...ALICE, authzid: undefined }])
    })

    test('an initial response saves that round trip', async () => {
      const verifier = recordingVerifier()
      expect(await run(begin(verifier), responses(ALICE))).toEqual({ kind: 'success', authcid: 'alice' })
      expect(verifier.asked).toEqual([{ ...ALICE, authzid: undefined }])
    })

    test('an empty initial response is not an absent one (RFC 4422 section 4.3)', async () => {
      const absent = await begin(recordingVerifier()).step(undefined)
      const empty = await begin(recordingVerifier()).step(new Uint8Array(0))
      expect(empty).not.toEqual(absent)
    })

    test('the reason of a refusal is the verifier’s', async () => {
      for (const reason of ['invalid-credentials', 'throttled', 'lookup-unavailable'] satisfies AuthFailureReason[]) {
        const verifier = recordingVerifier({ kind: 'rejected', reason })
        expect(await run(begin(verifier), responses(ALICE))).toEqual({ kind: 'failure', reason })
      }
    })

    test('a cancelled exchange asks nobody', async () => {
      const verifier = recordingVerifier()
      const signal = new CancellationSource()
      const exchange = begin(verifier, signal)
      signal.abort('closed')
      expect(await run(exchange, responses(ALICE))).toEqual({ kind: 'failure', reason: 'aborted' })
      expect(verifier.asked).toEqual([])
    })

    test('an exchange cancelled while the verifier works does not succeed', async () => {
      const signal = new CancellationSource()
      const verifier = recordingVerifier({ kind: 'accepted' }, () => signal.abort('closed'))
      expect(await run(begin(verifier, signal), responses(ALICE))).toEqual({ kind: 'failure', reason: 'aborted' })
    })

    test('after disposal it neither succeeds nor asks, and disposal may come twice', async () => {
      const verifier = recordingVerifier()
      const exchange = begin(verifier)
      await exchange.step(undefined)
      await exchange[Symbol.asyncDispose]()
      await exchange[Symbol.asyncDispose]()
      expect((await run(exchange, responses(ALICE))).kind).toBe('failure')
      expect(verifier.asked).toEqual([])
    })

    test('an exchange that has ended does not begin again', async () => {
      for (const answer of [{ kind: 'accepted' }, { kind: 'rejected', reason: 'invalid-credentials' }] as const) {
        const verifier = recordingVerifier(answer)
        const exchange = begin(verifier)
        await run(exchange, responses(BOB))
        expect((await run(exchange, responses(ALICE))).kind).toBe('failure')
        expect(verifier.asked).toHaveLength(1)
      }
    })

    test('a response of a mebibyte is refused before anybody is asked', async () => {
      const verifier = recordingVerifier()
      const long = responses({ authcid: 'alice', password: 'x'.repeat(MIB) })
      expect(await run(begin(verifier), long)).toEqual({ kind: 'failure', reason: 'too-long' })
      expect(verifier.asked).toEqual([])
    })

    test('responses that are not UTF-8 are malformed', async () => {
      const verifier = recordingVerifier()
      const broken = responses(ALICE).map(() => Uint8Array.of(0xc3, 0x28))
      expect(await run(begin(verifier), broken)).toEqual({ kind: 'failure', reason: 'malformed' })
      expect(verifier.asked).toEqual([])
    })

    test('whatever octets come, it answers with a step, and succeeds only if the verifier did', async () => {
      const octets = fc.uint8Array({ maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(octets, { nil: undefined }), { maxLength: 5 }), async (script) => {
          const exchange = begin(recordingVerifier({ kind: 'rejected', reason: 'invalid-credentials' }))
          for (const response of script) {
            const step = await exchange.step(response)
            expect(['challenge', 'failure']).toContain(step.kind)
          }
        }),
        { numRuns: 200 },
      )
    })

    test('two exchanges at the same time do not see each other', async () => {
      const [first, second] = [recordingVerifier(), recordingVerifier()]
      const [one, two] = [begin(first), begin(second)]
      await Promise.all([one.step(undefined), two.step(undefined)])
      const [of1, of2] = [responses(ALICE), responses(BOB)]
      for (let i = 0; i < of1.length; i++) {
        await two.step(of2[i])
        await one.step(of1[i])
      }
      expect(first.asked).toEqual([{ ...ALICE, authzid: undefined }])
      expect(second.asked).toEqual([{ ...BOB, authzid: undefined }])
    })
  })
}

interface RecordingVerifier {
  readonly asked: unknown[]
  readonly answer: VerifierAnswer
  readonly meanwhile: () => void
}

function recordingVerifier(answer: VerifierAnswer = { kind: 'accepted' }, meanwhile = () => {}): RecordingVerifier {
  return { asked: [], answer, meanwhile }
}

function contextOf({ asked, answer, meanwhile }: RecordingVerifier, signal: CancellationSource): MechanismContext {
  return {
    verifier: {
      async verifyPlain(credentials) {
        asked.push(credentials)
        meanwhile()
        return answer
      },
      lookup: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      verifyCertificate: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      anonymous: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
    },
    channel: { encrypted: true, channelBinding: () => undefined },
    localName: 'mail.example.com',
    offered: [],
    signal,
  }
}

/** Sends the responses until the exchange ends; the last step. */
async function run(exchange: Exchange, script: readonly Uint8Array[]): Promise<ExchangeStep> {
  let step: ExchangeStep = { kind: 'failure', reason: 'malformed' }
  for (const response of script) {
    step = await exchange.step(response)
    if (step.kind !== 'challenge') return step
  }
  return step
}

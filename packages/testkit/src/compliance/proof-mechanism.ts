// SPDX-License-Identifier: MIT
import { type AuthFailureReason, CancellationSource } from '@portico/base'
import type { Exchange, ExchangeStep, Mechanism, StoredSecret, VerifierAnswer } from '@portico/sasl'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** A mechanism that checks a proof against what is stored, and the client's side of it. */
export interface ProofMechanismUnderTest {
  readonly mechanism: Mechanism
  /** What a server stores of a password. */
  stored(password: string): Promise<StoredSecret>
  /** A client for one exchange. `undefined` challenge: its initial response, or `undefined` when the server speaks first. */
  client(credentials: {
    readonly authcid: string
    readonly password: string
  }): (challenge: Uint8Array | undefined) => Promise<Uint8Array | undefined>
}

const ALICE = { authcid: 'alice', password: 'open sesame' }
const MIB = 1024 * 1024

/** What every server mechanism that asks `lookup` must keep (RFC 4422 sections 3 to 5). */
export function proofMechanismCompliance(under: ProofMechanismUnderTest): void {
  const { mechanism } = under
  const wrong = { ...ALICE, password: 'open barley' }
  const start = async (options: StageOptions = {}) => stage(mechanism, await under.stored(ALICE.password), options)

  describe(`mechanism: ${mechanism.name}`, () => {
    test('the right proof succeeds, and the verifier was asked once for the right name', async () => {
      const { exchange, asked } = await start()
      const { last } = await play(exchange, under.client(ALICE))
      expect(last).toEqual({ kind: 'success', authcid: 'alice' })
      expect(asked).toEqual([{ authcid: 'alice', authzid: undefined, secret: mechanism.secret }, true])
    })

    test('a wrong proof takes the verifier’s reason, and no word of the server follows it', async () => {
      const { exchange, asked } = await start()
      const { last } = await play(exchange, under.client(wrong))
      expect(last).toEqual({ kind: 'failure', reason: 'invalid-credentials' })
      expect(asked.at(-1)).toBe(false)
    })

    test('an unknown name takes as many steps as a wrong password', async () => {
      const [known, unknown] = [await start(), await start({ refuse: 'invalid-credentials' })]
      const right = await play(unknown.exchange, under.client(ALICE))
      const guessed = await play(known.exchange, under.client(wrong))
      expect(right.last).toEqual(guessed.last)
      expect(right.steps).toBe(guessed.steps)
    })

    test('an account that is barred after a right proof is not let in', async () => {
      const { exchange } = await start({ refuse: 'account-disabled' })
      expect((await play(exchange, under.client(ALICE))).last).toEqual({ kind: 'failure', reason: 'account-disabled' })
    })

    test('a client that is throttled is told at once', async () => {
      const { exchange, asked } = await start({ reject: 'throttled' })
      expect((await play(exchange, under.client(ALICE))).last).toEqual({ kind: 'failure', reason: 'throttled' })
      expect(asked).toHaveLength(1)
    })

    test('two exchanges never share a challenge', async () => {
      const challenges = await Promise.all(
        [1, 2].map(async () => (await play((await start()).exchange, under.client(ALICE))).challenges.join()),
      )
      expect(challenges[0]).not.toBe(challenges[1])
    })

    test('a proof does not work a second time', async () => {
      const sent: (Uint8Array | undefined)[] = []
      const respond = under.client(ALICE)
      await play((await start()).exchange, async (challenge) => {
        sent.push(await respond(challenge))
        return sent.at(-1)
      })
      const { last } = await play((await start()).exchange, async () => sent.shift())
      expect(last.kind).toBe('failure')
    })

    test('a cancelled exchange asks nobody, and one cancelled meanwhile does not succeed', async () => {
      const early = await start()
      early.signal.abort('closed')
      expect((await play(early.exchange, under.client(ALICE))).last).toEqual({ kind: 'failure', reason: 'aborted' })
      expect(early.asked).toEqual([])
      const late = await start({ abortWhenConcluding: true })
      expect((await play(late.exchange, under.client(ALICE))).last).toEqual({ kind: 'failure', reason: 'aborted' })
    })

    test('after its end or disposal it fails, and asks nobody again', async () => {
      const ended = await start()
      await play(ended.exchange, under.client(ALICE))
      expect((await play(ended.exchange, under.client(ALICE))).last.kind).toBe('failure')
      expect(ended.asked).toHaveLength(2)
      const disposed = await start()
      await disposed.exchange[Symbol.asyncDispose]()
      await disposed.exchange[Symbol.asyncDispose]()
      expect((await play(disposed.exchange, under.client(ALICE))).last.kind).toBe('failure')
      expect(disposed.asked).toEqual([])
    })

    test('a response of a mebibyte, or one that is not UTF-8, is refused before anything is proved', async () => {
      for (const bad of [Buffer.alloc(MIB, 'x'), Buffer.from('\xc3\x28', 'latin1')]) {
        const { exchange, asked } = await start()
        const { last } = await play(exchange, async (challenge) =>
          challenge === undefined ? under.client(ALICE)(undefined) : bad,
        )
        expect(last.kind).toBe('failure')
        expect(asked).not.toContain(true)
      }
    })

    test('whatever octets come, it answers with a step and never succeeds', async () => {
      const octets = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string().map(Buffer.from))
      await fc.assert(
        fc.asyncProperty(fc.array(fc.option(octets, { nil: undefined }), { maxLength: 5 }), async (script) => {
          const { exchange } = await start()
          for (const response of script) {
            expect(['challenge', 'failure']).toContain((await exchange.step(response)).kind)
          }
        }),
        { numRuns: 100 },
      )
    })
  })
}

interface StageOptions {
  /** What a right proof is answered with. */
  readonly refuse?: AuthFailureReason
  /** What the lookup itself is answered with. */
  readonly reject?: AuthFailureReason
  readonly abortWhenConcluding?: boolean
}

function stage(mechanism: Mechanism, secret: StoredSecret, { refuse, reject, abortWhenConcluding }: StageOptions) {
  const asked: unknown[] = []
  const signal = new CancellationSource()
  const conclude = async (proved: boolean): Promise<VerifierAnswer> => {
    asked.push(proved)
    if (abortWhenConcluding) signal.abort('closed')
    if (!proved) return { kind: 'rejected', reason: 'invalid-credentials' }
    return refuse === undefined ? { kind: 'accepted' } : { kind: 'rejected', reason: refuse }
  }
  const exchange = mechanism.begin({
    verifier: {
      verifyPlain: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      verifyCertificate: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      anonymous: async () => ({ kind: 'rejected', reason: 'mechanism-unavailable' }),
      async lookup(question) {
        asked.push(question)
        return reject === undefined ? { kind: 'found', secret, conclude } : { kind: 'rejected', reason: reject }
      },
    },
    channel: { encrypted: true, channelBinding: (type) => Buffer.from(`the ${type} of this channel`) },
    localName: 'mail.example.com',
    offered: [mechanism.name],
    signal,
  })
  return { exchange, asked, signal }
}

async function play(
  exchange: Exchange,
  respond: (challenge: Uint8Array | undefined) => Promise<Uint8Array | undefined>,
): Promise<{ readonly last: ExchangeStep; readonly steps: number; readonly challenges: readonly string[] }> {
  const challenges: string[] = []
  let last = await exchange.step(await respond(undefined))
  while (last.kind === 'challenge' && challenges.length < 10) {
    challenges.push(Buffer.from(last.data).toString())
    last = await exchange.step(await respond(last.data))
  }
  return { last, steps: challenges.length, challenges }
}

// SPDX-License-Identifier: MIT
import { createHash, createHmac, randomInt } from 'node:crypto'
import { authSchema, createAuthCache, createAuthenticator, createThrottle, createUsersFileSource } from '@portico/auth'
import { NEVER } from '@portico/base'
import { plainResponse, scramClient, serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

/** Answers to the challenges of one exchange, in their order; the first one is the initial response. */
type Client = (user: string, password: string) => readonly ((challenge: Uint8Array) => Uint8Array | undefined)[]

/** What APOP answers. */
const TIMESTAMP = '<1896.697170952@dbc.mtview.ca.us>'

/** Clients whose own work is next to nothing, so that the server's is what is measured. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  PLAIN: (authcid, password) => [() => plainResponse({ authcid, password })],
  LOGIN: (user, password) => [() => Buffer.from(user), () => Buffer.from(password)],
  'SCRAM-SHA-1': scramOf('sha1'),
  'SCRAM-SHA-256': scramOf('sha256'),
  'CRAM-MD5': (user, password) => [
    () => undefined,
    (challenge) => Buffer.from(`${user} ${createHmac('md5', password).update(challenge).digest('hex')}`),
  ],
  APOP: (user, password) => [
    () => Buffer.from(`${user} ${createHash('md5').update(TIMESTAMP).update(password).digest('hex')}`),
  ],
}

/** The proof is none, which the server finds out last. */
function scramOf(hash: 'sha1' | 'sha256'): Client {
  return (authcid, password) => {
    const { first } = scramClient({ hash, authcid, password, nonce: 'mine' })
    const proof = Buffer.alloc(hash === 'sha1' ? 20 : 32, password).toString('base64')
    const nonceOf = (challenge: Uint8Array) => /^r=[^,]+/.exec(Buffer.from(challenge).toString())?.[0]
    return [() => first, (challenge) => Buffer.from(`c=biws,${nonceOf(challenge)},p=${proof}`)]
  }
}

/** What an observer sees of one wrong sign-in: microseconds until the refusal. */
export type Refusal = (user: string, password: string, address: string) => Promise<number>

/** As many as are asked for in one comparison, with the warm-up. */
const ACCOUNTS = 1_000
const nameOf = (kind: 'known' | 'other', number: number): string => `${kind}${String(number).padStart(3, '0')}`

/** A front desk over accounts that all have the stored password that is given. */
export function deskOf(mechanism: string, stored: string): Refusal {
  const [clock, log] = [createFakeClock(), recordingLog()]
  const accounts = Array.from({ length: ACCOUNTS }, (_, number) => `${nameOf('known', number)}:${stored}\n`).join('')
  const auth = createAuthenticator({
    sources: [createUsersFileSource(memoryUsersFile(accounts), { hashThreads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings: authSchema.parse({}), state: createMemoryStore({ clock }), clock }),
    cache: createAuthCache({ ttl: 60_000, entries: 1_000 }, clock),
    clock,
    log,
  })
  return async (user, password, address) => {
    const answers = CLIENTS[mechanism]?.(user, password) ?? []
    const context = contextAt(address, { timestamp: TIMESTAMP })
    const begun = process.hrtime.bigint()
    await using attempt = auth.begin(mechanism, context, NEVER)
    let challenge: Uint8Array = Buffer.alloc(0)
    for (const answer of answers) {
      const step = await attempt.step(answer(challenge))
      if (step.kind === 'challenge') challenge = step.data
      else if (step.kind === 'failed' && step.reason === 'invalid-credentials')
        return Number(process.hrtime.bigint() - begun) / 1_000
      else throw new Error(`${mechanism}: ${step.kind === 'failed' ? step.reason : step.kind}`)
    }
    throw new Error(`${mechanism}: no refusal`)
  }
}

export interface Compared {
  /** Medians in microseconds. */
  readonly known: number
  readonly unknown: number
  /** Of the pairs, those in which the known user took longer. */
  readonly longer: number
  readonly pairs: number
}

/**
 * Signs in with wrong passwords in pairs, one of a known user and one of an unknown user, each for the first time, in an order that
 * is drawn for each pair: what else the machine does meets both alike.
 */
export async function compare(refusal: Refusal, pairs: number): Promise<Compared> {
  const known: number[] = []
  const unknown: number[] = []
  const warmUp = Math.ceil(pairs / 5)
  for (let i = -warmUp; i < pairs; i++) {
    const [address, password] = [`10.0.${(i + warmUp) >> 8}.${(i + warmUp) & 255}`, `wrong ${i + warmUp}`]
    const users = [
      [nameOf('known', i + warmUp), known],
      [nameOf('other', i + warmUp), unknown],
    ] as const
    for (const [user, times] of randomInt(2) === 0 ? users : [users[1], users[0]]) {
      const time = await refusal(user, password, address)
      if (i >= 0) times.push(time)
    }
  }
  const longer = known.filter((time, i) => time > (unknown[i] ?? 0)).length
  return { known: median(known), unknown: median(unknown), longer, pairs }
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0
}

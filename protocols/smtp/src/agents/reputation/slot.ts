// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { z } from '@portico/config'
import { type History, NO_HISTORY, type Seen, srlOf, withSeen } from './history.js'

/** One client, as it is kept. Times are milliseconds since the epoch: several hosts read them. */
export interface Client {
  readonly name: string
  readonly history: History
  /** When the first message of the history came. */
  readonly since: number
  /** 0: not blocked. */
  readonly blockedUntil: number
}

/** What the site has decided. Times are milliseconds. */
export interface ReputationRules {
  readonly from: number
  readonly threshold: number
  readonly window: number
  readonly blockFor: number
}

/** Clients are kept in so many slots of the store, and so many of them in each: whoever has many addresses fills no store with them. */
const SLOTS = 1_024
const CLIENTS_IN_A_SLOT = 32

const count = z.int().min(0)
const written = z.array(z.tuple([z.string(), count, count, count, count, count, count]))

/** The store's key for a client. */
export function slotOf(client: string): string {
  return `smtp reputation ${createHash('sha256').update(client).digest().readUInt32BE() % SLOTS}`
}

/** The clients of a slot; none where it holds something else. */
export function readSlot(value: Uint8Array | undefined): readonly Client[] {
  if (value === undefined) return []
  try {
    return written
      .parse(JSON.parse(Buffer.from(value).toString('utf8')))
      .map(([name, since, blockedUntil, messages, rating, badHellos, nameless]) => ({
        ...{ name, since, blockedUntil },
        history: { messages, rating, badHellos, nameless },
      }))
  } catch {
    return []
  }
}

export function writeSlot(clients: readonly Client[]): Uint8Array {
  const rows = clients.map(({ name, since, blockedUntil, history: { messages, rating, badHellos, nameless } }) => [
    ...[name, since, blockedUntil, messages, rating, badHellos, nameless],
  ])
  return Buffer.from(JSON.stringify(rows))
}

export function isBlocked(clients: readonly Client[], name: string, now: number): boolean {
  return (clients.find((client) => client.name === name)?.blockedUntil ?? 0) > now
}

export interface Counted {
  readonly clients: readonly Client[]
  /** Its level, when this message has got the client blocked. */
  readonly newlyBlocked: number | undefined
}

/** Adds one message of a client to its slot. Whoever is blocked already is counted no further. Pure. */
export function countIn(
  clients: readonly Client[],
  name: string,
  seen: Seen,
  rules: ReputationRules,
  now: number,
): Counted {
  const kept = clients.filter((client) => client.blockedUntil > now || now < client.since + rules.window)
  const before = kept.find((client) => client.name === name)
  if (before !== undefined && before.blockedUntil > now) return { clients: kept, newlyBlocked: undefined }
  const history = withSeen(before?.history ?? NO_HISTORY, seen)
  const level = srlOf(history, rules.from)
  const blocks = level !== undefined && level >= rules.threshold
  // What has led to the block is paid for by it.
  const after: Client = blocks
    ? { name, history: NO_HISTORY, since: now, blockedUntil: now + rules.blockFor }
    : { name, history, since: before?.since ?? now, blockedUntil: 0 }
  const others = kept.filter((client) => client.name !== name)
  return { clients: [...mostTelling(others, now), after], newlyBlocked: blocks ? level : undefined }
}

/** Those that stay when there is no room for all: who is blocked first, then those of whom most is known. */
function mostTelling(clients: readonly Client[], now: number): readonly Client[] {
  if (clients.length < CLIENTS_IN_A_SLOT) return clients
  const weight = (client: Client) => (client.blockedUntil > now ? Number.MAX_SAFE_INTEGER : client.history.messages)
  return clients.toSorted((one, other) => weight(other) - weight(one)).slice(0, CLIENTS_IN_A_SLOT - 1)
}

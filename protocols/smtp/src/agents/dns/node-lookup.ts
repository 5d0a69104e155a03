// SPDX-License-Identifier: MIT
import { Resolver } from 'node:dns/promises'
import type { DnsAnswer, DnsFailure, DnsRecords, DnsType } from './dns-resolver.js'
import type { DnsSettings } from './dns-schema.js'

/** Asks for a name that has been looked at. Never rejects. */
export type Lookup = <T extends DnsType>(name: string, type: T) => Promise<DnsAnswer<T>>

export interface ClosableLookup extends Disposable {
  readonly lookup: Lookup
}

/**
 * c-ares, which node:dns wraps, takes its intervals from how fast a server has answered before, this one at least, and doubles them
 * with each repetition.
 */
const SHORTEST_INTERVAL_MS = 250
/** As long as it knows nothing of a server. */
const FIRST_INTERVAL_MS = 500

/** Questions through c-ares. It gives each up by itself, but perhaps later than the settings say. */
export function nodeLookup({ servers, timeout }: Pick<DnsSettings, 'servers' | 'timeout'>): ClosableLookup {
  const tries = triesWithin(timeout, servers?.length ?? 1)
  const resolver = new Resolver({ timeout: FIRST_INTERVAL_MS, tries })
  if (servers !== undefined) resolver.setServers([...servers])
  return {
    lookup: async <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
      try {
        const records = await ASK[type](resolver, name)
        return records.length === 0 ? { kind: 'absent', why: 'no-data' } : { kind: 'found', records }
      } catch (error) {
        return answerOf((error as NodeJS.ErrnoException).code)
      }
    },
    [Symbol.dispose]: () => resolver.cancel(),
  }
}

/** So many that the shortest intervals fill the time: with fewer, a server that is fast as a rule would have little time for once. */
export function triesWithin(timeout: number, servers: number): number {
  return Math.ceil(Math.log2(timeout / (SHORTEST_INTERVAL_MS * servers) + 1))
}

const ASK: { readonly [T in DnsType]: (resolver: Resolver, name: string) => Promise<readonly DnsRecords[T][]> } = {
  A: (resolver, name) => resolver.resolve4(name),
  AAAA: (resolver, name) => resolver.resolve6(name),
  TXT: async (resolver, name) => (await resolver.resolveTxt(name)).map((strings) => strings.join('')),
  PTR: (resolver, name) => resolver.resolvePtr(name),
  MX: async (resolver, name) =>
    (await resolver.resolveMx(name)).map(({ exchange, priority }) => ({ exchange, preference: priority })),
}

const FAILURES: Readonly<Record<string, DnsFailure>> = {
  ESERVFAIL: 'servfail',
  EREFUSED: 'refused',
  ENOTIMP: 'refused',
  ECONNREFUSED: 'unreachable',
  ETIMEOUT: 'timeout',
  ECANCELLED: 'cancelled',
  EDESTRUCTION: 'cancelled',
}

/** What the codes of node:dns mean. */
export function answerOf(code: string | undefined): Exclude<DnsAnswer<DnsType>, { kind: 'found' }> {
  if (code === 'ENOTFOUND') return { kind: 'absent', why: 'no-name' }
  if (code === 'ENODATA') return { kind: 'absent', why: 'no-data' }
  if (code === 'EBADNAME') return { kind: 'absent', why: 'not-a-name' }
  return { kind: 'failed', why: FAILURES[code ?? ''] ?? 'bad-answer' }
}

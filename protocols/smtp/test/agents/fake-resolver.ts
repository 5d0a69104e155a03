// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { askableName } from '../../src/agents/dns/dns-name.js'
import type {
  DnsAbsence,
  DnsAnswer,
  DnsFailure,
  DnsRecords,
  DnsResolver,
  DnsType,
} from '../../src/agents/dns/dns-resolver.js'

/** What a name has of a type: records, or why there is no answer. `silent`: none comes before the signal. */
export type FakeEntry = readonly [
  name: string,
  type: DnsType,
  what: readonly (string | DnsRecords['MX'])[] | DnsAbsence | DnsFailure | 'silent',
]

export interface FakeResolver extends DnsResolver {
  /** Every question so far, such as `TXT example.org`. */
  readonly asked: string[]
}

const ABSENT: readonly string[] = ['no-name', 'no-data', 'not-a-name'] satisfies DnsAbsence[]

/** A DNS of which a test says everything; what it does not name does not exist. Answers come in a later turn, as real ones do. */
export function fakeResolver(entries: readonly FakeEntry[] = []): FakeResolver {
  const asked: string[] = []
  const answer = (text: string, type: DnsType, signal: Cancellation): Answer | Promise<Answer> => {
    const name = askableName(text)
    if (name === undefined) return { kind: 'absent', why: 'not-a-name' }
    asked.push(`${type} ${name}`)
    const entry = entries.find(([owner, of]) => askableName(owner) === name && of === type)
    const what = entry?.[2] ?? (entries.some(([owner]) => askableName(owner) === name) ? 'no-data' : 'no-name')
    if (what === 'silent') return cancelled(signal)
    if (typeof what === 'string') {
      return ABSENT.includes(what)
        ? { kind: 'absent', why: what as DnsAbsence }
        : { kind: 'failed', why: what as DnsFailure }
    }
    return { kind: 'found', records: what as readonly DnsRecords[DnsType][] }
  }
  return {
    asked,
    ask: async <T extends DnsType>(name: string, type: T, signal: Cancellation) => {
      await new Promise<void>((resolve) => setImmediate(resolve))
      return (await answer(name, type, signal)) as DnsAnswer<T>
    },
  }
}

type Answer = DnsAnswer<DnsType>

function cancelled(signal: Cancellation): Promise<Answer> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({ kind: 'failed', why: 'cancelled' })
    signal.toAbortSignal().addEventListener('abort', () => resolve({ kind: 'failed', why: 'cancelled' }))
  })
}

// SPDX-License-Identifier: MIT
import type { DnsAnswer, DnsType, MxRecord } from '../dns/dns-resolver.js'

/** What is to be checked (RFC 7208 section 4.1). */
export interface SpfQuestion {
  readonly client: string
  /** The domain of MAIL, or what the client calls itself. */
  readonly domain: string
  /** Of the sender; without any `@`. */
  readonly local: string
  readonly helo: string
  readonly hostname: string
  /** Asks the DNS. Never rejects. */
  ask<T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>>
}

/** RFC 7208 section 2.6. */
export type SpfWord = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'

type Spf = typeof import('mailauth/lib/spf/index.js')['spf']

const WORDS: readonly string[] = [
  'none',
  'neutral',
  'pass',
  'fail',
  'softfail',
  'temperror',
  'permerror',
] satisfies SpfWord[]
/** Characters of a policy. RFC 7208 section 3.4 asks for at most 450 octets. */
const LONGEST_POLICY = 4 * 1024
/** Terms of a policy that ask the DNS, and answers without a record (RFC 7208 section 4.6.4). */
const [MOST_LOOKUPS, MOST_VOID] = [10, 2]
/** Questions of one check: ten terms with ten mail servers each, of both families. */
const MOST_QUESTIONS = 220

let loading: Promise<Spf> | undefined

/**
 * Loads the evaluation of policies, which costs a fifth of a second and 30 MB: only where somebody uses it, and before the first
 * message. Of mailauth nothing else is used: its DKIM takes octets of UTF-8 for white space, SHA-1 for good and unsigned From fields for
 * signed, and both its time for white space and for long lines grow with their square.
 */
export function loadSpf(): Promise<Spf> {
  loading ??= import('mailauth/lib/spf/index.js').then(({ spf }) => spf)
  return loading
}

/** Evaluates a domain's policy (RFC 7208 section 4). Whatever the DNS does not tell for now is `temperror`, at whatever depth. */
export async function checkSpf(question: SpfQuestion): Promise<SpfWord> {
  const spf = await loadSpf()
  const { client, domain, local, helo, hostname } = question
  const answer = await spf({
    ...{ sender: `${local}@${domain}`, ip: client, helo, mta: hostname },
    ...{ maxResolveCount: MOST_LOOKUPS, maxVoidCount: MOST_VOID, resolver: resolverFor(question) },
  })
  const word = answer.status.result
  return WORDS.includes(word) ? (word as SpfWord) : 'temperror'
}

/** Asks as node:dns would, with its errors. */
function resolverFor({ ask }: SpfQuestion): (name: string, type: string) => Promise<string[][] | string[]> {
  let count = 0
  return async (name, type) => {
    count += 1
    if (count > MOST_QUESTIONS) throw permanent('too many questions')
    const answer = await ask(name, type as DnsType)
    // RFC 7208 section 5.5: who has no name that can be found simply has none of those that are asked for.
    if (answer.kind === 'failed' && type === 'PTR') return []
    // A failure that is no time-out would be taken for an answer within an include.
    if (answer.kind === 'failed') throw withCode('ETIMEOUT')
    if (answer.kind === 'absent') throw withCode(answer.why === 'no-data' ? 'ENODATA' : 'ENOTFOUND')
    const rows: unknown = answer.records.map((record) => rowOf(record, type))
    return rows as string[]
  }
}

/** A record as node:dns gives it. */
function rowOf(record: string | MxRecord, type: string): unknown {
  if (typeof record !== 'string') return { exchange: record.exchange, priority: record.preference }
  if (type !== 'TXT') return record
  if (record.length > LONGEST_POLICY && /^v=spf1/i.test(record)) throw permanent('policy too long')
  return [record]
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function permanent(text: string): Error {
  return Object.assign(new Error(text), { spfResult: { error: 'permerror', text } })
}

// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { type Cancellation, unmapped } from '@portico/base'
import type { Mailbox } from '../../address.js'
import type { MethodResult } from '../../message/trace.js'
import type { AgentSession } from '../agent.js'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { headerField } from '../header-text.js'
import { domainOf } from './domains.js'
import { checkSpf, type SpfWord } from './mailauth.js'

/** What became of the check (RFC 7208 section 2.6). */
export interface SpfVerdict {
  readonly result: SpfWord
  /** Whose policy it was: of the sender (MAIL), or of the client's own name where there is no sender (section 2.4). */
  readonly identity: 'mailfrom' | 'helo'
  /** In A-labels; undefined where there is none that could have a policy. */
  readonly domain: string | undefined
  readonly client: string | undefined
  readonly sender: string | undefined
  readonly helo: string | undefined
}

/** Checks the client of a session against the policy of a sender's domain. Rejects only where the evaluation itself fails. */
export async function judgeSpf(
  session: Pick<AgentSession, 'peer' | 'hello' | 'hostname'>,
  sender: Mailbox | undefined,
  resolver: DnsResolver,
  signal: Cancellation,
): Promise<SpfVerdict> {
  const { peer, hello, hostname } = session
  const client = peer.family === 'unix' ? undefined : unmapped(peer.address)
  const identity = sender === undefined || sender.domain === '' ? 'helo' : 'mailfrom'
  const domain = domainOf(Buffer.from((identity === 'helo' ? hello?.domain : sender?.domain) ?? '').toString('latin1'))
  const known = { identity, domain, client, sender: textOf(sender), helo: hello?.domain } as const
  // RFC 7208 section 4.3: an address literal and a name of one label have no policy.
  if (client === undefined || domain === undefined || !domain.includes('.')) return { ...known, result: 'none' }
  const result = await checkSpf({
    ...{ client, domain, hostname, helo: hello?.domain ?? client },
    local: identity === 'helo' ? 'postmaster' : (sender?.local ?? '').replace(/[^!-?A-~]/g, '_'),
    ask: (name, type) => resolver.ask(name, type, signal),
  })
  return { ...known, result }
}

/** As people read it. */
function textOf(sender: Mailbox | undefined): string | undefined {
  return sender === undefined ? undefined : Buffer.from(sender.text, 'latin1').toString()
}

/** For Authentication-Results (RFC 8601 section 2.7.2). */
export function spfResult({ result, identity, sender, helo }: SpfVerdict): MethodResult {
  const [name, value] = identity === 'helo' ? (['smtp.helo', helo] as const) : (['smtp.mailfrom', sender] as const)
  return { method: 'spf', result, properties: value === undefined ? [] : [[name, value]] }
}

const MEANINGS: Readonly<Record<SpfWord, (verdict: { readonly domain: string; readonly client: string }) => string>> = {
  pass: ({ domain, client }) => `domain of ${domain} designates ${client} as permitted sender`,
  fail: ({ domain, client }) => `domain of ${domain} does not designate ${client} as permitted sender`,
  softfail: ({ domain, client }) => `domain of ${domain} does not expect ${client} as sender`,
  neutral: ({ domain, client }) => `${client} is neither permitted nor denied by domain of ${domain}`,
  none: ({ domain }) => `domain of ${domain} does not designate permitted senders`,
  temperror: ({ domain }) => `domain of ${domain} cannot be asked for now`,
  permerror: ({ domain }) => `policy of ${domain} cannot be used`,
}

/** What a result means, for people. */
export function spfText({ result, domain, client }: SpfVerdict): string {
  return MEANINGS[result]({ domain: domain ?? 'unknown', client: client ?? 'the client' })
}

/** The Received-SPF field (RFC 7208 section 9.1), with its CRLF. */
export function receivedSpf(verdict: SpfVerdict, hostname: string): string | undefined {
  const { result, identity, client, sender, helo } = verdict
  const pairs = [
    ['receiver', hostname],
    ['client-ip', client],
    ['identity', identity],
    ['envelope-from', sender ?? ''],
    ['helo', helo],
  ].flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${pairValue(value)};`]))
  return headerField('Received-SPF', `${result} (${hostname}: ${spfText(verdict)})\r\n\t${pairs.join('\r\n\t')}`)
}

/** A word as it is, else quoted; what the header cannot hold becomes a question mark. */
function pairValue(text: string): string {
  const plain = text.replace(/[^ -~]/g, '?')
  return /^[A-Za-z0-9.-]+$/.test(plain) || isIP(plain) === 4 ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`
}

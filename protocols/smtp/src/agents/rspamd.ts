// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { createHttpClient, type HttpReply } from '@portico/net'
import { type Agent, type AgentSession, type DataEndFacts, type Opinion, PASS } from './agent.js'
import type { RspamdSettings } from './agents-schema.js'
import { opinionOf, readReply } from './rspamd-reply.js'

/** Octets of an answer: it names every rule that a message has met. */
const LARGEST_REPLY = 1_048_576

/** An agent that keeps connections. */
export interface ClosableAgent extends Agent, Disposable {}

/** Shows whole messages to rspamd (https://rspamd.com/doc/developers/protocol.html), and does as it says. */
export function rspamd(settings: RspamdSettings, clock: Clock): ClosableAgent {
  const { audit, url, deadline, whenAway, maxSize } = settings
  const client = createHttpClient({ url: new URL(url), timeoutMs: deadline, replyRoom: LARGEST_REPLY, clock })
  return {
    name: 'rspamd',
    antiSpam: true,
    deadline,
    whenAway,
    audit,
    open: (session) => ({
      async dataEnd(facts, signal): Promise<Opinion> {
        if (facts.message.size > maxSize) return PASS
        const reply = await client.ask(requestHeaders(session, facts), signal, facts.message)
        return opinionOf(readReply(bodyOf(reply)), facts.fields)
      },
    }),
    [Symbol.dispose]: () => client.close(),
  }
}

function requestHeaders(session: AgentSession, { envelope }: DataEndFacts) {
  const { peer, hello, user, tls } = session
  return {
    ...(peer.family === 'unix' ? {} : { IP: peer.address }),
    ...(hello === undefined ? {} : { Helo: hello.domain }),
    From: envelope.sender?.text ?? '',
    Rcpt: envelope.recipients.map(({ text }) => text),
    ...(user === undefined ? {} : { User: octets(user) }),
    'Queue-Id': session.id,
    'MTA-Name': session.hostname,
    ...(tls === undefined ? {} : { 'TLS-Version': tls.version, 'TLS-Cipher': tls.cipher }),
  }
}

/** Header values hold one character for each octet, and no controls. */
function octets(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, '?')).toString('latin1')
}

function bodyOf(reply: HttpReply): string {
  if (reply.kind === 'failed') throw reply.cause
  if (reply.status !== 200) throw new Error(`rspamd answered with status ${reply.status}`)
  return Buffer.from(reply.body, 'latin1').toString('utf8')
}

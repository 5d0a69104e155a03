// SPDX-License-Identifier: MIT
import { type Settings, size, z } from '@portico/config'
import { createHttpClient, type HttpReply } from '@portico/net'
import { type Agent, type AgentSession, type DataEndFacts, type Opinion, PASS } from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import { opinionOf, readReply } from './reply.js'

const schema = z
  .strictObject({
    type: z.literal('rspamd'),
    ...agentKeys({ action: 'reject' }),
    url: z
      .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
      .default('http://127.0.0.1:11333/checkv2')
      .describe('Where its normal worker is asked.'),
    ...serviceKeys({ deadline: 30_000, whenAway: 'pass' }),
    maxSize: size()
      .default(20 * 1024 ** 2)
      .describe('Larger messages are not shown to it.'),
    sclFrom: z
      .array(z.number())
      .max(9)
      .refine(
        (scores) => scores.every((score, at) => at === 0 || score > (scores[at - 1] ?? 0)),
        'expected scores that grow',
      )
      .default([1, 2, 3, 4, 6, 8, 10, 12, 15])
      .describe(
        'Its scores from which on the spam confidence level is 1, 2 … 9; below the first nothing is said of it. With what rspamd does when nobody changes it, `add header` is 5 and `reject` 9. `[]`: never.',
      ),
  })
  .describe('rspamd judges the whole message, which is kept here until its end has come.')

type RspamdSettings = Settings<typeof schema>

/** Octets of an answer: it names every rule that a message has met. */
const LARGEST_REPLY = 1_048_576

/** Shows whole messages to rspamd (https://rspamd.com/doc/developers/protocol.html), and does as it says. */
function make(
  settings: RspamdSettings,
  { clock, disposeWhenRetired }: Pick<AgentNeeds, 'clock' | 'disposeWhenRetired'>,
): Agent {
  const { url, deadline, maxSize, sclFrom, action } = settings
  const policy = { sclFrom, hasQuarantine: typeof action === 'object' }
  const client = createHttpClient({ url: new URL(url), timeoutMs: deadline, replyRoom: LARGEST_REPLY, clock })
  disposeWhenRetired({ [Symbol.dispose]: () => client.close() })
  return {
    name: 'rspamd',
    antiSpam: true,
    ...agentBasics(settings),
    open: (session) => ({
      async dataEnd(facts, signal): Promise<Opinion> {
        if (facts.message.size > maxSize) return PASS
        const reply = await client.ask(requestHeaders(session, facts), signal, facts.message)
        return opinionOf(readReply(bodyOf(reply)), facts.fields, policy)
      },
    }),
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

/** The agent type `rspamd`. */
export const rspamd: AgentType<RspamdSettings> = { type: 'rspamd', priority: 40, schema, make }

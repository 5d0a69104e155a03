// SPDX-License-Identifier: MIT
import { duration, networks, type Settings, size, z } from '@portico/config'
import { ADDRESS_ENTRY } from './address-list.js'
import { isNetwork, parseTimestamp } from './network-list.js'

const shared = {
  connectors: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Names of the connectors where it is asked. When absent those where people send who have not signed in.'),
  audit: z.boolean().default(false).describe('It says in the log what it would have done, and changes nothing.'),
}

const addressList = () =>
  z.array(z.string().regex(ADDRESS_ENTRY, 'expected an address, a domain, *.domain, or a local part with @ behind it'))

const network = () => z.string().refine(isNetwork, 'expected an address or a CIDR block')

const blockEntry = z.union([
  network().transform((text) => ({ network: text, until: undefined })),
  z.strictObject({
    network: network().describe('An address or a CIDR block.'),
    until: z
      .string()
      .transform((text, context) => {
        const time = parseTimestamp(text)
        if (time !== undefined) return time
        context.addIssue({ code: 'custom', message: 'expected a time such as 2027-01-31T12:00:00Z' })
        return z.NEVER
      })
      .describe('The entry does not count any more from then on.'),
  }),
])

const ipListSchema = z
  .strictObject({
    type: z.literal('ip-list'),
    ...shared,
    allow: networks().prefault([]).describe('Clients whom no anti-spam agent is asked about.'),
    block: z.array(blockEntry).default([]).describe('Clients who are refused.'),
    allowFile: z
      .string()
      .optional()
      .describe('File with more of them: an address or CIDR block a line. Read again when it changes.'),
    blockFile: z
      .string()
      .optional()
      .describe(
        'File with more of them: an address or CIDR block a line, perhaps with `until 2027-01-31T12:00:00Z` behind it. Read again when it changes.',
      ),
    when: z
      .enum(['rcpt', 'connect'])
      .default('rcpt')
      .describe(
        'When they are refused. `rcpt`: at each recipient, so that the log says whom they wrote to and `exceptRecipients` counts. `connect`: instead of a greeting.',
      ),
    exceptRecipients: addressList()
      .default(['postmaster@'])
      .describe('Recipients whom everybody may write to (RFC 5321 section 4.5.1).'),
  })
  .describe('Clients by their address.')

const greetDelaySchema = z
  .strictObject({
    type: z.literal('greet-delay'),
    ...shared,
    delay: duration()
      .refine(
        (ms) => ms > 0 && ms <= 30_000,
        'expected at most 30s, which some senders wait for a greeting and no longer',
      )
      .default(5_000)
      .describe('How long a client waits for the greeting.'),
    earlyTalk: z
      .enum(['refuse', 'mark'])
      .default('refuse')
      .describe(
        'A client that does not wait (RFC 5321 section 4.3.1). `refuse`: it gets 554. `mark`: its messages get `X-Portico-Early-Talker: yes`.',
      ),
  })
  .describe('Who talks before the greeting is no mail server.')

const recipientFilterSchema = z
  .strictObject({
    type: z.literal('recipient-filter'),
    ...shared,
    block: addressList().min(1).describe('Recipients who do not exist for those who are asked about here.'),
  })
  .describe('Recipients that are there for some clients only, such as lists for one’s own people.')

const rspamdSchema = z
  .strictObject({
    type: z.literal('rspamd'),
    ...shared,
    url: z
      .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
      .default('http://127.0.0.1:11333/checkv2')
      .describe('Where its normal worker is asked.'),
    deadline: duration()
      .refine((ms) => ms > 0, 'expected a time')
      .default(30_000)
      .describe('Time for one answer.'),
    whenAway: z
      .enum(['pass', 'tempfail'])
      .default('pass')
      .describe(
        'When it does not answer. `pass`: the message goes on unjudged. `tempfail`: the client is to send it later.',
      ),
    maxSize: size()
      .default(20 * 1024 ** 2)
      .describe('Larger messages are not shown to it.'),
  })
  .describe('rspamd judges the whole message, which is kept here until its end has come.')

/** The agents of `smtp.agents`. */
export const agentsSchema = z
  .array(z.discriminatedUnion('type', [ipListSchema, greetDelaySchema, recipientFilterSchema, rspamdSchema]))
  .default([])
  .describe(
    'What looks at clients and messages before they are taken. Asked in the order of the table, those of one type in the order in which they are written.',
  )

export type AgentSettings = Settings<typeof agentsSchema>[number]
export type IpListSettings = Extract<AgentSettings, { type: 'ip-list' }>
export type GreetDelaySettings = Extract<AgentSettings, { type: 'greet-delay' }>
export type RecipientFilterSettings = Extract<AgentSettings, { type: 'recipient-filter' }>
export type RspamdSettings = Extract<AgentSettings, { type: 'rspamd' }>

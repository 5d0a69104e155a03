// SPDX-License-Identifier: MIT
import { isIPv4 } from 'node:net'
import { networksOf } from '@portico/base'
import { networks, type Settings, z } from '@portico/config'
import { addressEntries } from '../address-list.js'
import { agentKeys, serviceKeys } from '../agent-type.js'
import { askableName } from '../dns/dns-name.js'

/** Room before it for the nibbles of an IPv6 address and a dot (RFC 5782 section 2.4) in a name of 253. */
const LONGEST_ZONE = 189
/** Each is a question about each client. */
const MOST_PROVIDERS = 32
/** A reply line is 512 octets (RFC 5321 section 4.5.3.1.5), and names and addresses become longer than what stands for them. */
const LONGEST_TEXT = 200

const LISTED = networksOf(['127.0.0.0/8'])

const answers = z
  .union([
    z.literal('any'),
    z
      .array(z.string())
      .min(1)
      .refine(
        (texts) => texts.every((text) => /^127\.[\d.]+(?:\/\d+)?$/.test(text) && isBlock(text)),
        'expected addresses and CIDR blocks within 127.0.0.0/8',
      ),
    z.strictObject({
      mask: z
        .string()
        .refine(
          (text) => isIPv4(text) && LISTED.contains(text) && text !== '127.0.0.0',
          'expected an address like 127.0.0.12',
        )
        .describe('Address in which the bits are set of which an answer has to have one, its first octet aside.'),
    }),
  ])
  .default('any')
  .describe(
    'Which answers count: `any` of 127.0.0.0/8, addresses and CIDR blocks of it, or those with a bit of a `mask`.',
  )

const provider = z
  .strictObject({
    zone: z
      .string()
      .transform((text, context) => {
        const zone = askableName(text)
        if (zone !== undefined && zone.length <= LONGEST_ZONE) return zone
        context.addIssue({ code: 'custom', message: 'expected a domain' })
        return z.NEVER
      })
      .describe('Domain below which the list is.'),
    kind: z
      .enum(['block', 'allow'])
      .default('block')
      .describe('What it means to be on it. `allow`: no anti-spam agent is asked about the client.'),
    of: z
      .enum(['client', 'helo', 'sender'])
      .default('client')
      .describe(
        'What it lists: addresses of clients, or domains (RFC 5782 section 3): those that clients call themselves, or those of senders.',
      ),
    answers,
    reply: z
      .string()
      .regex(/^[ -~]+$/, 'expected printable ASCII')
      .max(LONGEST_TEXT)
      .default('%SUBJECT% is listed at %ZONE%')
      .describe(
        'What the client is told, where `%SUBJECT%` stands for what is listed, `%IP%` for the address, `%ZONE%` for the list, `%ANSWER%` for its answer, `%TEXT%` for its own text, which is only then asked for.',
      ),
    scl: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe('Spam confidence level of what is found here, where it is not refused.'),
  })
  .refine(({ kind, of }) => kind === 'block' || of === 'client', {
    path: ['of'],
    error: 'an allow list is of clients: anybody can claim a domain',
  })

export const dnsListSchema = z
  .strictObject({
    type: z.literal('dns-list'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 10_000, whenAway: 'pass' }),
    providers: z
      .array(provider)
      .min(1)
      .max(MOST_PROVIDERS)
      .describe('The lists. All are asked at once, and the first one that holds the client decides.'),
    when: z
      .enum(['rcpt', 'connect'])
      .default('rcpt')
      .describe(
        'When clients are refused for their address. `rcpt`: at each recipient, so that the log says whom they wrote to and `exceptRecipients` counts. `connect`: instead of a greeting, which has to wait for the lists.',
      ),
    exceptRecipients: addressEntries()
      .default(['postmaster@'])
      .describe(
        'Recipients whom everybody may write to (RFC 5321 section 4.5.1). What `internalServers` bring is judged for all its recipients at once, unless all are among these.',
      ),
    internalServers: networks()
      .prefault([])
      .describe(
        'Mail servers of the site that take mail in before us. Of what they bring, the address is asked about from which it came to them, by their Received fields.',
      ),
  })
  .describe('Clients by lists that others keep in the DNS (RFC 5782).')

export type DnsListSettings = Settings<typeof dnsListSchema>
export type ProviderSettings = DnsListSettings['providers'][number]

function isBlock(text: string): boolean {
  try {
    networksOf([text])
    return true
  } catch {
    return false
  }
}

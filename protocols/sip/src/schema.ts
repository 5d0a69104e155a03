// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'

const hostName = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9:.-]+$/, `expected ${what}`)
    .transform((text) => text.toLowerCase())

const peersSchema = z
  .strictObject({
    networks: z.array(z.string()).default([]).describe('Names of networks whose members are peers.'),
    certificates: z
      .boolean()
      .default(false)
      .describe("Whether those are peers, too, who show a certificate of a listener's `clientCertificates`."),
  })
  .prefault({})
  .describe('The gateways and servers of the site: they are answered, and believed what they say of diverted calls.')

/** The `sip` block of the configuration. */
export const sipSchema = z
  .strictObject({
    domains: z
      .array(hostName('a domain'))
      .default([])
      .describe(
        'Domains whose `sip:user@domain` is the mailbox `user@domain`. Numbers (`tel:`, `user=phone`, users of `+` and digits) are mailboxes by their digits, `+493012345@domain`; those of `tel:` lie in the first domain.',
      ),
    hosts: z
      .array(hostName('a host name or an address'))
      .default([])
      .describe(
        'Names and addresses by which gateways call this server itself: `sip:user@host` is then a mailbox of the first domain.',
      ),
    peers: peersSchema,
    strangers: z
      .enum(['refuse', 'answer'])
      .default('refuse')
      .describe(
        'What becomes of requests of others than peers: 403, and over UDP nothing; or the same answer. An answer tells who has a mailbox, and the name of its voice server.',
      ),
    mailboxFrom: z
      .array(z.enum(['diversion', 'history-info']))
      .default([])
      .describe(
        'Fields that name whose mailbox a diverted call is for, in the order in which they are looked at (RFC 5806, RFC 7044). Only peers are believed; the Request-URI when none names one.',
      ),
    alternatives: z
      .int()
      .min(0)
      .max(5)
      .default(0)
      .describe(
        "Further endpoints of the mailbox's group that a redirection names behind its own, for clients that try them in turn. Many gateways look at the first alone.",
      ),
    retryAfter: duration()
      .default(10_000)
      .describe(
        'What 503 says in Retry-After: a client leaves this server alone for so long (RFC 3261 section 21.5.4).',
      ),
    idle: duration()
      .default(10 * 60_000)
      .describe('A connection without an octet from its client is closed.'),
    head: size().default(16_384).describe('Longest start line with all header fields.'),
    body: size().default(65_536).describe('Longest body that is dropped behind a head; none is ever looked at.'),
    atOnce: z.int().min(1).default(32).describe('Requests of one connection that are answered at the same time.'),
  })
  .prefault({})

export type SipSettings = Settings<typeof sipSchema>

/** SIP has no listener keys of its own. */
export const sipListenerSchema = z.strictObject({})

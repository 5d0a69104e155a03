// SPDX-License-Identifier: MIT
import { duration, type Settings, z } from '@portico/config'
import { agentsSchema } from './agents/agents-schema.js'
import { dnsSchema } from './agents/dns/dns-schema.js'
import { connectorSchema } from './connector/connector-schema.js'
import { completeConnectors } from './connector/connectors.js'
import { gatewaysSchema } from './telephony/gateways-schema.js'

export type { Connector } from './connector/connectors.js'

/** The `smtp` block of the configuration. The connectors `inbound`, `client` and `partner` always exist. */
export const smtpSchema = z
  .strictObject({
    connectors: z
      .record(z.string(), connectorSchema)
      .default({})
      .transform(completeConnectors)
      .describe(
        'What SMTP listeners allow, by name. `inbound`, `client` and `partner` always exist; what is written of them changes the rest of them in nothing.',
      ),
    agents: agentsSchema,
    dns: dnsSchema,
    telephony: gatewaysSchema,
    untrustedGroups: z
      .array(z.string())
      .default([])
      .describe(
        'Backend groups outside the organization: they are not told what its servers think of a message (`X-MS-Exchange-Organization-*`, `X-MS-Exchange-Forest-*`, `X-Portico-*`), whoever has sent it. ' +
          'Of a message that goes to several groups at once nobody is told when one of them is not.',
      ),
    backendReply: duration()
      .default(5 * 60_000)
      .describe('How long a backend may take to answer MAIL, RCPT or DATA (RFC 5321 section 4.5.3.2).'),
    backendVerdict: duration()
      .default(10 * 60_000)
      .describe('How long a backend may take to accept a whole message (RFC 5321 section 4.5.3.2.6).'),
    helo: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,255}$/, 'expected a host name')
      .optional()
      .describe(
        'Name for EHLO at backends; the address literal of the connection when absent (RFC 5321 section 4.1.3).',
      ),
    clientFacts: z
      .enum(['xclient', 'xforward', 'none'])
      .default('xclient')
      .describe(
        "How backends are told the client's address. `xclient`: by XCLIENT where they offer it, else by XFORWARD where they offer " +
          'that; they then judge the client as if it had come to them. `xforward`: by XFORWARD alone, which is for their logs and ' +
          'filters; XCLIENT tells the sign-in at most. `none`: not at all. Postfix takes XCLIENT with an address once for each ' +
          'connection: with `xforward` its connections serve one client after the other.',
      ),
    unknownRecipients: z
      .strictObject({
        keep: duration()
          .default(60_000)
          .describe(
            'How long a backend is not asked again for a recipient that it has refused as unknown; `0s`: ask always.',
          ),
        max: z.int().min(1).default(10_000).describe('Recipients to keep; beyond that the oldest ones are forgotten.'),
      })
      .prefault({})
      .describe('Recipients that backends refused as unknown (550 5.1.1), for senders who have not signed in.'),
  })
  .prefault({})

/** The validated `smtp` block. */
export type SmtpSettings = Settings<typeof smtpSchema>

/** SMTP's own keys of an entry under `listeners`. */
export const smtpListenerSchema = z.strictObject({
  connector: z
    .string()
    .optional()
    .describe(
      'Name of a connector under `smtp.connectors`. On port 25 `partner` and `inbound` when absent, elsewhere `client`.',
    ),
  connectors: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'Names of several, of which the one is taken whose `remote` holds the client most closely; instead of `connector`.',
    ),
})

export type ListenerOptions = Settings<typeof smtpListenerSchema>

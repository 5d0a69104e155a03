// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'

/** Service extensions that a connector may offer beside those that are always there (RFC 6152, RFC 6531). */
const extension = z.enum(['8BITMIME', 'SMTPUTF8'])

const domain = z
  .string()
  .regex(/^[^\s@]+$/, 'expected a domain such as example.org')
  .transform((text) => text.toLowerCase())

const connectorSchema = z.strictObject({
  submission: z
    .boolean()
    .optional()
    .describe(
      'True: senders sign in before MAIL and everything goes to the backend of the authenticated user (RFC 6409). ' +
        'False: nobody signs in, and only recipients of `domains` are taken. True by default for the connector `client`, else false.',
    ),
  domains: z
    .array(domain)
    .default([])
    .describe('Domains whose recipients an inbound connector takes; every other recipient is refused as relaying.'),
  maxSize: size()
    .default(35 * 1024 ** 2)
    .describe('Largest message, announced by SIZE (RFC 1870).'),
  maxRecipients: z
    .int()
    .min(1)
    .default(100)
    .describe('Recipients of one message; senders send the rest as another one (RFC 5321 section 4.5.3.1.8).'),
  maxHops: z
    .int()
    .min(1)
    .default(30)
    .describe('More Received fields than this are a mail loop (RFC 5321 section 6.3).'),
  banner: z
    .string()
    .regex(/^[ -~]{1,200}$/, 'expected printable ASCII')
    .default('ESMTP')
    .describe('What the greeting says after the host name.'),
  extensions: z
    .array(extension)
    .default(['8BITMIME'])
    .describe('Extensions to offer; list only what every backend behind this connector has.'),
})

const DEFAULT_CONNECTORS = {
  inbound: connectorSchema.parse({ submission: false }),
  client: connectorSchema.parse({ submission: true }),
}

/** What an SMTP listener allows: who may send what to whom. */
export type Connector = Omit<Settings<typeof connectorSchema>, 'submission'> & {
  readonly submission: boolean
}

/** The `smtp` block of the configuration. The connectors `inbound` and `client` always exist. */
export const smtpSchema = z
  .strictObject({
    connectors: z.record(z.string(), connectorSchema).default({}).transform(completed),
    idle: duration()
      .default(5 * 60_000)
      .describe('A client that sends nothing for this long is dismissed (RFC 5321 section 4.5.3.2.7).'),
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
  })
  .prefault({})

/** The validated `smtp` block. */
export type SmtpSettings = Settings<typeof smtpSchema>

/** SMTP's own keys of an entry under `listeners`. */
export const smtpListenerSchema = z.strictObject({
  connector: z
    .string()
    .optional()
    .describe('Name of a connector under `smtp.connectors`; on port 25 `inbound` when absent, elsewhere `client`.'),
})

function completed(given: Readonly<Record<string, Settings<typeof connectorSchema>>>): ReadonlyMap<string, Connector> {
  const connectors = new Map<string, Connector>()
  for (const [name, connector] of Object.entries({ ...DEFAULT_CONNECTORS, ...given }))
    connectors.set(name, { ...connector, submission: connector.submission ?? name === 'client' })
  return connectors
}

/**
 * The connector of a listener: the named one, else `inbound` on port 25 and `client` on every other port. Undefined when the
 * name is not configured: nothing may then be sent.
 */
export function connectorOf(settings: SmtpSettings, options: unknown, port: number): Connector | undefined {
  const named = smtpListenerSchema.safeParse(options ?? {})
  if (!named.success) return undefined
  return settings.connectors.get(named.data.connector ?? (port === 25 ? 'inbound' : 'client'))
}

// SPDX-License-Identifier: MIT
import { duration, networks, type Settings, size, z } from '@portico/config'
import { PERMISSIONS } from './permissions.js'

/** Service extensions that are offered only as far as backends have them. */
export const BACKEND_EXTENSIONS = ['8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'REQUIRETLS', 'MT-PRIORITY'] as const

/** A domain of mailboxes, in lower case. */
const mailDomain = () =>
  z
    .string()
    .regex(/^[^\s@*]+$/, 'expected a domain such as example.org')
    .transform((text) => text.toLowerCase().replace(/\.$/, ''))

const permissionList = (whom: string, defaults: string) =>
  z.array(z.enum(PERMISSIONS)).optional().describe(`What ${whom} may do. ${defaults}`)

const permissionsSchema = z
  .strictObject({
    anonymous: permissionList(
      'those who have not signed in',
      'Nothing at a connector for submission; at others `submit`, `any-sender`, `own-domain-sender` and `routing-headers`; at `partner` also `telephony-headers`.',
    ),
    authenticated: permissionList(
      'those who have signed in',
      'At a connector for submission `submit`, `relay`, `any-sender`, `bypass-anti-spam` and `routing-headers`; at others nothing, so that AUTH is not offered there.',
    ),
  })
  .prefault({})
  .describe(
    'Who may do what. `submit`: send mail; AUTH is offered where those who have signed in may. `relay`: to recipients of any domain, not only of `domains`. ' +
      '`any-sender`: from any address; without it from addresses of their own only, and for those who have not signed in it does not go as far as `domains`. `own-domain-sender`: from any address of `domains`. ' +
      '`bypass-anti-spam`: no anti-spam agent is asked. `bypass-size`: `maxSize` does not hold. `routing-headers`, `organization-headers`, `forest-headers`: ' +
      '`Received` and `Resent-*`; `X-MS-Exchange-Organization-*`, `X-Portico-*` and Authentication-Results in our name; `X-MS-Exchange-Forest-*`: these fields stay in what they send, and are taken out of what others send. ' +
      '`telephony-headers`: the agent `telephony` believes what they say of faxes and voice messages. ' +
      'Without `routing-headers` a mail loop through here is not noticed, for what `maxHops` would count is taken out.',
  )

const rateSchema = z
  .strictObject({
    messages: z.int().min(1).describe('So many messages at once, and as many again over the time.'),
    per: duration()
      .refine((ms) => ms >= 1_000, 'expected at least 1s')
      .default(60_000)
      .describe('The time.'),
    by: z
      .enum(['address', 'user', 'all'])
      .default('address')
      .describe(
        'Whose messages count together: `address`, those of one client address (IPv6: of one /64); `user`, those of one user, or of one address where nobody has signed in; `all`, all of the connector.',
      ),
  })
  .optional()
  .describe(
    'Messages that may be sent in a time, counted at MAIL; more of them are put off with 450. Unlimited when absent.',
  )

/** Who may be there, and what they may do. */
const accessShape = {
  remote: networks()
    .optional()
    .describe(
      'Clients that the connector holds: addresses or CIDR blocks. Of the connectors of a listener the one that holds the client most closely is taken. Everybody when absent; nobody for `partner`.',
    ),
  submission: z
    .boolean()
    .optional()
    .describe(
      'True: everything goes to the backend of the user who has signed in (RFC 6409). False: to those of the recipients. ' +
        'True by default for the connector `client`, else false.',
    ),
  permissions: permissionsSchema,
  openRelay: z
    .boolean()
    .default(false)
    .describe(
      'Has to be true where `relay` is allowed to those who have not signed in: whoever `remote` holds may then send to the world.',
    ),
  domains: z
    .array(mailDomain())
    .default([])
    .describe('Domains of the site: who may not `relay` is refused every other recipient.'),
  mechanisms: z
    .array(z.string().transform((name) => name.toUpperCase()))
    .min(1)
    .optional()
    .describe('SASL mechanisms that may be used here, of those that could be offered. All when absent.'),
  requireTls: z
    .boolean()
    .optional()
    .describe('No AUTH and no MAIL without TLS (RFC 3207 section 4). True by default for `partner`, else false.'),
}

/** Where mail goes. */
const routeShape = {
  group: z
    .string()
    .optional()
    .describe(
      'Backend group that everything goes to, whoever sends it to whomever; it delivers or relays. Looked up when absent.',
    ),
  otherRoutes: z
    .enum(['defer', 'same-backend'])
    .default('defer')
    .describe(
      'Recipients of a message whose backend is not the first one’s. `defer`: they get 452, and the sender sends them as another message. `same-backend`: the first one’s backend is asked, which has to relay.',
    ),
  multipleRecipients: z
    .enum(['defer', 'may-duplicate'])
    .default('defer')
    .describe(
      'Recipients behind LMTP backends, each of which gives an answer of its own. `defer`: one per message, the others get 452. `may-duplicate`: all at once; when some are refused for now the sender sends all again, and others get the message twice.',
    ),
  lmtp: z.boolean().default(false).describe('Clients speak LMTP (RFC 2033): LHLO, and an answer for each recipient.'),
}

/** How much, how long, and in which words. */
const limitsShape = {
  maxSize: size()
    .default(35 * 1024 ** 2)
    .describe('Largest message, announced by SIZE (RFC 1870).'),
  maxRecipients: z
    .int()
    .min(1)
    .default(100)
    .describe('Recipients of one message; senders send the rest as another one (RFC 5321 section 4.5.3.1.8).'),
  maxHeaderSize: size()
    .default(256 * 1024)
    .describe('Largest header section; it is held in memory.'),
  maxHops: z
    .int()
    .min(1)
    .default(30)
    .describe('More Received fields than this are a mail loop (RFC 5321 section 6.3).'),
  maxErrors: z
    .int()
    .min(1)
    .optional()
    .describe('Mistakes before the connection is closed; `limits.badCommands` when absent.'),
  tarpit: duration()
    .default(5_000)
    .describe(
      'Who has not signed in waits so long for each refusal (5xx), so that addresses are not tried out in numbers.',
    ),
  rate: rateSchema,
  idle: duration()
    .default(5 * 60_000)
    .describe('A client that sends nothing for this long is dismissed (RFC 5321 section 4.5.3.2.7).'),
  sessionTime: duration()
    .optional()
    .describe('A connection is closed after this long, as soon as no message is under way. Never when absent.'),
  banner: z
    .string()
    .regex(/^[ -~]{1,200}$/, 'expected printable ASCII')
    .default('ESMTP')
    .describe('What the greeting says after the host name.'),
  extensions: z
    .array(z.enum(BACKEND_EXTENSIONS))
    .optional()
    .describe(
      'Extensions to offer that backends have to have, whatever they say; a recipient whose backend lacks one that a message needs is refused. When absent the backends are asked, and what all have is offered.',
    ),
  authenticationResults: z
    .boolean()
    .default(false)
    .describe(
      'An Authentication-Results field goes in front of what those who have signed in send, and tells the servers behind who they are (RFC 8601 section 2.7.4).',
    ),
}

/** A connector as it is written; what is absent depends on its name. */
export const connectorSchema = z.strictObject({ ...accessShape, ...routeShape, ...limitsShape })

export type WrittenConnector = Settings<typeof connectorSchema>

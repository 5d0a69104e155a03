// SPDX-License-Identifier: MIT
import type { Address, Networks } from '@portico/base'
import { address, duration, networks, type Schema, type Settings, secret, textSource, z } from '@portico/config'
import { publicHost } from './sites.js'

/** One endpoint as written: where to connect, and for HTTP the path in front and whether the URL says TLS. */
export interface EndpointSettings {
  readonly address: Address
  /** Without a trailing slash; empty unless the endpoint is a URL with a path. */
  readonly path: string
  /** What a URL's scheme says; undefined for plain addresses. */
  readonly secure: boolean | undefined
}

const identitySchema = z
  .union([
    z.enum(['password', 'token', 'xclient', 'none']),
    z.strictObject({
      master: z.strictObject({
        user: z.string().min(1).describe('Name of the master user.'),
        secret: secret().describe('Password of the master user.'),
        separator: z
          .string()
          .length(1)
          .optional()
          .describe('Log in as user<separator>master, for backends without an authorization identity (RFC 4616).'),
      }),
    }),
    z.strictObject({
      header: z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9-]+$/, 'expected an HTTP header name')
          .describe('Header that the backend trusts from this proxy.'),
      }),
    }),
  ])
  .describe('How the user is asserted to the backend.')

const tlsSchema = z.strictObject({
  mode: z
    .enum(['none', 'starttls', 'implicit'])
    .optional()
    .describe('By port when absent: implicit on 993, 995, 465 and 443; none on loopback; else starttls.'),
  ca: textSource().optional().describe("Certificate authorities; the system's when absent."),
  servername: z
    .string()
    .min(1)
    .optional()
    .describe("Name to verify and to send as SNI; the endpoint's host when absent."),
  verify: z.boolean().default(true).describe('Whether the certificate must be valid for the name.'),
})

const addressEndpoint = () =>
  address().transform((parsed): EndpointSettings => ({ address: parsed, path: '', secure: undefined }))

/** `http://host[:port][/path]` or `https://…`: no user, query or fragment. */
const urlEndpoint = () =>
  z.string().transform((text, context): EndpointSettings => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const secure = url?.protocol === 'https:'
    const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
    if (url === undefined || !(secure || url.protocol === 'http:') || !plain || url.hostname === '') {
      context.addIssue({ code: 'custom', message: 'expected http://host:port/path or https://host:port/path' })
      return z.NEVER
    }
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
    return { address: { kind: 'tcp', host, port }, path: url.pathname.replace(/\/+$/, ''), secure }
  })

const cleartextSchema = z
  .union([z.enum(['never', 'loopback']), networks()])
  .default('loopback')
  .describe('Where a backend may be reached without TLS: loopback and Unix sockets, or a list of networks.')

const poolSchema = () =>
  z.strictObject({
    warm: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        'Connections per endpoint and process that stand ready for the next sign-in: connected, TLS and greeting done, nobody signed in; 2 when absent, or `endpointConnections` where that is less. ' +
          'Each worker keeps so many, and they may never sign in, which mail servers log; 0 turns it off. They are kept while the endpoint is in use; HTTP has no greeting and keeps none, and with `proxyProtocol` ' +
          'there are none, because its header comes first and names the client.',
      ),
    warmFor: duration()
      .default(40_000)
      .describe(
        "Longest rest of such a connection; it is then closed and replaced. Keep it well below the server's own limit for signing in (Dovecot: 3 minutes).",
      ),
    endpointConnections: z
      .int()
      .min(1)
      .optional()
      .describe('Most connections to one endpoint in one process; `limits.connections` when absent.'),
    groupConnections: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Most connections to all endpoints of the group for one protocol in one process; no limit when absent.',
      ),
    queue: z
      .int()
      .min(0)
      .default(1_000)
      .describe('How many may wait for a place at an endpoint. Only its last candidate makes a client wait.'),
    wait: duration().default(2_000).describe('How long they wait before the backend counts as unavailable.'),
  })

const proxyProtocolSchema = () => z.enum(['none', 'v1', 'v2'])

export type PoolSettings = Settings<ReturnType<typeof poolSchema>>

/** Protocols whose clients are sent to the backends: nobody is asserted there, and no connection is made from here. */
const REDIRECTED: ReadonlySet<string> = new Set(['sip'])

/** Of a protocol of {@link REDIRECTED}. */
function redirectedSchema() {
  return z
    .strictObject({
      endpoints: z.array(addressEndpoint()).min(1).describe('The servers of this group that clients are sent to.'),
      transport: z
        .enum(['udp', 'tcp', 'tls'])
        .default('tls')
        .describe('What clients speak to these endpoints: they are told it with the address.'),
    })
    .transform((written) => ({ ...written, identity: 'none' as const, proxyProtocol: 'none' as const, tls: undefined }))
}

function blockSchema(protocol: string, isDelivery: boolean) {
  const endpoint = protocol === 'http' ? urlEndpoint() : addressEndpoint()
  const identity = isDelivery
    ? identitySchema.default('none').describe("How a sender is asserted; the group's identity is for its users.")
    : identitySchema.optional().describe("Instead of the group's identity.")
  return z.strictObject({
    endpoints: z.array(endpoint).min(1).describe('The mailbox servers of this group that speak the protocol.'),
    tls: tlsSchema.optional().describe('TLS towards these endpoints.'),
    identity,
    proxyProtocol: proxyProtocolSchema().optional().describe("Instead of the group's proxyProtocol."),
  })
}

export type IdentitySettings = Settings<typeof identitySchema>

/** One protocol of a group. */
export type ProtocolSettings = Settings<ReturnType<typeof blockSchema>> & {
  readonly transport?: 'udp' | 'tcp' | 'tls' | undefined
}

/** One backend group. */
export interface GroupSettings {
  readonly identity: IdentitySettings
  readonly cleartextPasswords: 'never' | 'loopback' | Networks
  readonly pool: PoolSettings
  readonly proxyProtocol: 'none' | 'v1' | 'v2'
  readonly protocols: ReadonlyMap<string, ProtocolSettings>
  /** Public names by protocol. */
  readonly redirect: ReadonlyMap<string, string>
  /** Name of the site that it is at; the own one when undefined. */
  readonly site: string | undefined
}

/** All groups by name. */
export type BackendsSettings = Readonly<Record<string, GroupSettings>>

/** Protocols that have a word for "elsewhere", and what a public name looks like in each. */
const PUBLIC_NAMES: Readonly<Record<string, z.ZodType<string>>> = {
  imap4: publicHost().describe('Host name, or `host:port`. LOGIN-REFERRALS is then announced.'),
  http: z
    .url({ protocol: /^https$/, error: 'expected https://host[:port]' })
    .describe('`https://host[:port]`; path and query are kept.'),
}

function redirectSchema(protocols: readonly string[]) {
  const able = protocols.filter((name) => Object.hasOwn(PUBLIC_NAMES, name))
  return z
    .strictObject(Object.fromEntries(able.map((name) => [name, PUBLIC_NAMES[name]?.optional() ?? z.never()])))
    .prefault({})
    .describe(
      'By protocol: the public name that users of this group are sent to after they have signed in, instead of being served through here (IMAP4: RFC 2221; HTTP: 307). What the site of the group says of redirections does not count then. Nobody is sent anywhere by default.',
    )
}

/**
 * The `backends` block: groups of mailbox servers. `protocols` are the names that a group may have a block for, `deliveries` those
 * that only backends speak.
 */
export function backendsSchema(
  protocols: readonly string[],
  deliveries: readonly string[] = [],
): Schema<BackendsSettings> {
  const names = [...protocols, ...deliveries]
  const common = {
    identity: identitySchema.default('password'),
    cleartextPasswords: cleartextSchema,
    pool: poolSchema().prefault({}).describe('How many connections there may be, and how many stand ready.'),
    proxyProtocol: proxyProtocolSchema()
      .default('none')
      .describe(
        "PROXY header at the start of each connection, with the client's address; `v2` also tells its TLS, the host name it asked for " +
          'and the session id. The endpoints must expect it (Dovecot: `haproxy = yes`, Postfix: `smtpd_upstream_proxy_protocol`). ' +
          'Connections are then not kept for others: none is warm, and HTTP opens one per request.',
      ),
    redirect: redirectSchema(protocols),
    site: z
      .string()
      .optional()
      .describe(
        "Name of the site that its mailboxes are at, where that is another one: the endpoints are then that site's front ends. This one's own when absent.",
      ),
  }
  const blocks = Object.fromEntries(
    names.map((name) => [
      name,
      (REDIRECTED.has(name) ? redirectedSchema() : blockSchema(name, deliveries.includes(name))).optional(),
    ]),
  )
  const group = z.strictObject({ ...blocks, ...common }).transform((written): GroupSettings => {
    const { identity, cleartextPasswords, pool, proxyProtocol, redirect, site } = written
    const values: Readonly<Record<string, unknown>> = written
    const present = names.filter((name) => values[name] !== undefined)
    return {
      identity,
      cleartextPasswords,
      redirect: new Map(Object.entries(redirect).flatMap(([name, to]) => (to === undefined ? [] : [[name, to]]))),
      site,
      pool,
      proxyProtocol,
      protocols: new Map(present.map((name) => [name, values[name] as ProtocolSettings])),
    }
  })
  const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected a name of letters, digits, dots and dashes')
  return z
    .record(name, group)
    .describe('Groups of mailbox servers: interchangeable peers that hold the same mailboxes.')
}

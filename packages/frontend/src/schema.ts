// SPDX-License-Identifier: MIT
import { hostname } from 'node:os'
import { accessRulesSchema, authSchema, credentialsSchema } from '@portico/auth'
import { address, type Schema, type Settings, secret, type TextSource, textSource, z } from '@portico/config'
import { backendsSchema, locationSchema, ownSiteSchema, sitesSchema } from '@portico/routing'
import { limitsSchema, type Protocol } from '@portico/session'
import { stateSchema } from '@portico/state'
import { publishSchema } from './publish-schema.js'

/** The network whose members are balancers: they must send a PROXY header, and are believed nothing else. */
export const BALANCERS = 'balancers'

/** The network whose members are proxies: what they say, inside the protocol, of the clients that they speak for is believed. */
export const PROXIES = 'proxies'

const networksSchema = z
  .record(z.string(), z.array(z.string()))
  .default({})
  .describe(
    `Named sets of CIDR blocks that a client may belong to. \`${BALANCERS}\` must state the client's address by a PROXY header, which is all that they are believed, and can never be banned. \`${PROXIES}\` are proxies and web mail that speak for clients of their own and are believed when they say whom, by IMAP4's ID (x-originating-ip and its like), POP3's and SMTP's XCLIENT or HTTP's X-Forwarded-For: a balancer that speaks HTTP itself and sends no PROXY header belongs here and not to \`${BALANCERS}\`. A balancer that only passes octets on is none: what comes through it was said by its clients.`,
  )

const certificateSchema = z.strictObject({
  names: z.array(z.string().min(1)).min(1).describe('Host names that it serves; `*.example.com` is one label.'),
  certificate: textSource().describe('PEM file with the certificate and its chain. Read again when it changes.'),
  key: z.union([secret(), textSource()]).describe('Its private key in PEM. Read again when it changes.'),
})

export type CertificateSettings = Settings<typeof certificateSchema>

const tlsSchema = z
  .array(certificateSchema)
  .default([])
  .describe('Certificates of the listeners, chosen by the name that the client asks for; the first is the default.')

/** The keys of a listener that mean the same for every protocol. */
const listenerKeys = {
  address: address().describe('Where to listen: `host:port`, `[v6]:port` or `unix:/path`. `[::]:port` is dual-stack.'),
  tls: z
    .enum(['none', 'starttls', 'implicit'])
    .describe('`implicit`: TLS from the first octet; `starttls`: offered; `none`: no TLS.'),
  plaintextPasswords: z
    .enum(['never', 'loopback', 'always'])
    .default('never')
    .describe('Where passwords may be shown without TLS: nowhere, to clients on loopback, or everywhere.'),
  clientCertificates: textSource()
    .optional()
    .describe('PEM file of the authority whose client certificates are asked for, for EXTERNAL; none are when absent.'),
  name: z.string().min(1).optional().describe('Its name in logs; protocol and address when absent.'),
}

/** Of protocols that serve datagrams, too. */
const datagramKeys = {
  transport: z
    .enum(['tcp', 'udp'])
    .default('tcp')
    .describe(
      '`udp`: datagrams, which have no TLS and come from no balancer. A host with several addresses names them one by one: what is sent from `[::]` or `0.0.0.0` may leave by another than it was sent to.',
    ),
}

/** One listener: what all protocols share, and the protocol's own keys in `options`. */
export interface ListenerSettings {
  readonly protocol: string
  readonly name: string
  readonly address: Settings<ReturnType<typeof address>>
  readonly transport: 'tcp' | 'udp'
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly plaintextPasswords: 'never' | 'loopback' | 'always'
  /** Authority of client certificates. */
  readonly clientCertificates?: TextSource
  readonly options: unknown
  /** Its index under `listeners`. */
  readonly index: number
}

const logSchema = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('The least level that is written.'),
    format: z.enum(['json', 'pretty']).default('json').describe('`json`: one object per line; `pretty`: for people.'),
    file: z.string().optional().describe('Appended to; standard output when absent.'),
  })
  .prefault({})
  .describe('The log.')

const componentsSchema = z
  .record(z.string(), z.enum(['active', 'inactive']))
  .default({})
  .describe(
    "What this node serves: protocols by their names, and what HTTP's directories name as their component. What is `inactive` is refused for a while, and its page of health says so. Active when not listed; a reload changes it for sessions that are open, too.",
  )

const adminSchema = z
  .strictObject({
    socket: z.string().optional().describe('Control socket of `portico reload`; a private place when absent.'),
  })
  .prefault({})
  .describe('How the running front end is managed.')

const userSchema = z
  .strictObject({
    name: z.string().min(1).describe('User that the workers become.'),
    group: z.string().min(1).optional().describe('Group that they become; the one named like the user when absent.'),
  })
  .optional()
  .describe('Whom the workers run as when `portico serve` is started by root.')

const transportSchema = z
  .enum(['auto', 'node'])
  .default('auto')
  .describe(
    "What connections are made on. `node`: Node's public sockets. `auto`: the handles below them, which cost less, if a connection of the process with itself shows at the start that they work here; `node` otherwise, and the log says so. Read at the start only.",
  )

function coreShape(protocols: readonly string[], deliveries: readonly string[]) {
  return {
    version: z.literal(1).describe('Version of this language.'),
    hostname: z
      .string()
      .min(1)
      .optional()
      .describe("The name in greetings and trace fields; the machine's when absent."),
    networks: networksSchema,
    publish: publishSchema(protocols),
    tls: tlsSchema,
    credentials: credentialsSchema,
    auth: authSchema,
    accessRules: accessRulesSchema(protocols),
    location: locationSchema,
    backends: backendsSchema(protocols, deliveries),
    site: ownSiteSchema,
    sites: sitesSchema,
    limits: limitsSchema.describe('Limits that all protocols share.'),
    log: logSchema,
    state: stateSchema,
    components: componentsSchema,
    admin: adminSchema,
    transport: transportSchema,
    user: userSchema,
  }
}

/** A whole configuration after validation. */
export interface FrontEndSettings extends Settings<z.ZodObject<ReturnType<typeof coreShape>>> {
  readonly hostname: string
  readonly listeners: readonly ListenerSettings[]
  /** The protocols' own blocks by name. */
  readonly protocols: ReadonlyMap<string, unknown>
}

/** A protocol that the file may speak of although this process does not host it. */
export interface OtherProtocol {
  readonly name: string
  readonly deliveries?: readonly { readonly name: string }[]
}

type AnyProtocol = OtherProtocol & Pick<Protocol<never>, 'schema' | 'listenerSchema' | 'serveDatagram'>

/**
 * The schema of a whole configuration for these protocols. `others` are protocols that the file may speak of although this
 * process does not host them: their blocks are not looked at and their listeners are left out.
 */
export function frontEndSchema(
  protocols: readonly AnyProtocol[],
  others: readonly OtherProtocol[] = [],
): Schema<FrontEndSettings> {
  const names = protocols.map(({ name }) => name)
  const every = [...names, ...others.map(({ name }) => name)]
  const blocks = Object.fromEntries(
    protocols.map(({ name, schema }) => [name, (schema as Schema).describe(`Settings of ${name}.`)]),
  )
  const opaque = Object.fromEntries(
    others.map(({ name }) => [name, z.unknown().optional().describe(`Settings of ${name}.`)]),
  )
  const shape = {
    ...coreShape(every, deliveriesOf([...protocols, ...others])),
    listeners: listenersSchema(protocols, others),
    ...opaque,
    ...blocks,
  }
  return z.strictObject(shape).transform((written): FrontEndSettings => {
    const own: Readonly<Record<string, unknown>> = written
    return {
      ...written,
      hostname: written.hostname ?? hostname(),
      listeners: written.listeners
        .map((entry, index) => listenerOf(entry, index))
        .filter(({ protocol }) => names.includes(protocol)),
      protocols: new Map(names.map((name) => [name, own[name]])),
    }
  }) as Schema<FrontEndSettings>
}

function deliveriesOf(protocols: readonly OtherProtocol[]): readonly string[] {
  return protocols.flatMap(({ deliveries = [] }) => deliveries.map(({ name }) => name))
}

function listenersSchema(protocols: readonly AnyProtocol[], others: readonly OtherProtocol[]) {
  const entries = protocols.map(({ name, listenerSchema, serveDatagram }) => {
    if (!(listenerSchema instanceof z.ZodObject))
      throw new TypeError(`${name}: listenerSchema has to be an object schema`)
    const more = serveDatagram === undefined ? {} : datagramKeys
    return z.strictObject({ protocol: z.literal(name), ...listenerKeys, ...more, ...listenerSchema.shape })
  })
  const foreign = others.map(({ name }) => z.looseObject({ protocol: z.literal(name) }))
  const [first, ...rest] = [...entries, ...foreign]
  if (first === undefined) throw new TypeError('a front end needs a protocol')
  return z
    .array(z.discriminatedUnion('protocol', [first, ...rest]))
    .min(1)
    .describe('Where clients are awaited.')
}

function listenerOf(entry: Readonly<Record<string, unknown>>, index: number): ListenerSettings {
  const {
    protocol,
    address: where,
    transport = 'tcp',
    tls,
    plaintextPasswords,
    clientCertificates,
    name,
    ...options
  } = entry as unknown as Omit<ListenerSettings, 'transport'> & {
    readonly name?: string
    readonly transport?: ListenerSettings['transport']
  }
  const authority = clientCertificates === undefined ? {} : { clientCertificates }
  return {
    protocol,
    address: where,
    transport,
    tls,
    plaintextPasswords,
    ...authority,
    name: name ?? `${protocol}[${index}]`,
    options,
    index,
  }
}

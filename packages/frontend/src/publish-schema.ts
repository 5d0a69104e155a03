// SPDX-License-Identifier: MIT
import { HOST_NAME } from '@portico/base'
import { type ConfigProblem, type Schema, z } from '@portico/config'

/** Where a service is, as far as the site says it; `false`: it is not told of. */
export type WrittenPlace =
  | false
  | {
      readonly host?: string | undefined
      readonly port?: number | undefined
      readonly tls?: 'implicit' | 'starttls' | undefined
    }

/** The names of one side: outside, or inside some networks. */
export interface WrittenNames {
  readonly host?: string | undefined
  /** By protocol. */
  readonly places: ReadonlyMap<string, WrittenPlace>
}

/** The validated `publish` block. */
export interface PublishSettings extends WrittenNames {
  readonly name?: string | undefined
  readonly domains: readonly string[]
  readonly userName: 'address' | 'alias'
  readonly publicFolders: readonly string[]
  readonly internal?: (WrittenNames & { readonly networks: readonly string[] }) | undefined
}

const hostName = () =>
  z
    .string()
    .regex(HOST_NAME, 'expected the name of a host, without a port')
    .transform((name) => name.toLowerCase())

const mailAddress = () =>
  z
    .string()
    .regex(/^[^\s@<>"&]+@[A-Za-z0-9.-]+$/, 'expected an address such as folders@example.com')
    .transform((text) => text.toLowerCase())

function placeSchema(protocol: string) {
  const ways = protocol === 'http' ? z.enum(['implicit']) : z.enum(['implicit', 'starttls'])
  return z
    .union([
      z.literal(false),
      z.strictObject({
        host: hostName().optional().describe('Its name; `host` of the block when absent.'),
        port: z.int().min(1).max(65_535).optional().describe('Its port; by listener, else the standard one.'),
        tls: ways.optional().describe('`implicit`: TLS from the first octet. By listener, else `implicit`.'),
      }),
    ])
    .optional()
    .describe(`How clients reach ${protocol}; false: they are not told of it. By listener when absent.`)
}

function namesShape(protocols: readonly string[]) {
  return Object.fromEntries(protocols.map((name) => [name, placeSchema(name)]))
}

/** The places among what was written beside them. */
function placesIn(protocols: readonly string[], written: Readonly<Record<string, unknown>>): WrittenNames['places'] {
  return new Map(
    protocols.flatMap((name) => (written[name] === undefined ? [] : [[name, written[name] as WrittenPlace] as const])),
  )
}

function internalSchema(protocols: readonly string[]) {
  return z
    .strictObject({
      networks: z.array(z.string()).min(1).describe('Names of the networks whose clients are inside.'),
      host: hostName().optional().describe('The name of every service there; as outside when absent.'),
      ...namesShape(protocols),
    })
    .transform(({ networks, host, ...written }) => ({ networks, host, places: placesIn(protocols, written) }))
    .optional()
    .describe('Other names for clients of some networks. Clients elsewhere never see them.')
}

/** The `publish` block: what clients are told to use. `protocols` are the names that it may have a place for. */
export function publishSchema(protocols: readonly string[]): Schema<PublishSettings> {
  return z
    .strictObject({
      name: z.string().min(1).max(100).optional().describe('Name of the provider, for people; `host` when absent.'),
      host: hostName().optional().describe('The name of every service; `hostname` when absent.'),
      domains: z.array(hostName()).default([]).describe('Mail domains that are served here.'),
      userName: z
        .enum(['address', 'alias'])
        .default('address')
        .describe('What people sign in with: their whole address, or what stands before its @.'),
      publicFolders: z
        .array(mailAddress())
        .default([])
        .describe(
          'Addresses of mailboxes that hold public folders. Each user is told one of them, always the same, or the one of the account.',
        ),
      internal: internalSchema(protocols),
      ...namesShape(protocols),
    })
    .transform(
      ({ name, host, domains, userName, publicFolders, internal, ...written }): PublishSettings => ({
        name,
        host,
        domains,
        userName,
        publicFolders,
        internal,
        places: placesIn(protocols, written),
      }),
    )
    .prefault({})
    .describe(
      'What clients are told to use, by [Autodiscover](autodiscover.md) and its like. By default what the listeners serve, under `hostname`: not what listens on loopback alone, and not what takes no password without TLS.',
    )
}

/** Networks that nobody knows. */
export function publishProblems(settings: {
  readonly publish: PublishSettings
  readonly networks: Readonly<Record<string, unknown>>
}): ConfigProblem[] {
  return (settings.publish.internal?.networks ?? []).flatMap((name, index) => {
    if (Object.hasOwn(settings.networks, name)) return []
    const path = ['publish', 'internal', 'networks', index]
    return [{ path, expectation: 'expected the name of one of the networks' }]
  })
}

// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'
import { normalisePath } from './target.js'

const MINUTE = 60_000

const path = () =>
  z
    .string()
    .refine((text) => normalisePath(text) === text, 'expected a plain absolute path such as /dav, without escapes')

const fieldName = () => z.string().regex(/^[A-Za-z0-9-]+$/, 'expected a header field name')

/** One virtual directory: a path prefix with its own rules. */
export const directorySchema = z.strictObject({
  mount: path().describe('Path prefix that clients use; matched in any case, on segment boundaries, longest first.'),
  backendPath: path().default('/').describe('What the mount is replaced by towards the backend.'),
  group: z
    .string()
    .optional()
    .describe('Every user of this directory goes to this backend group; by location when absent.'),
  auth: z
    .array(z.enum(['basic']))
    .min(1)
    .default(['basic'])
    .describe('How clients may sign in, in the order of offering.'),
  realm: z
    .string()
    .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'expected printable ASCII without quotes and backslashes')
    .optional()
    .describe('Protection space that clients show (RFC 7235 section 2.2).'),
  host: z
    .enum(['pass', 'backend'])
    .default('pass')
    .describe("Host field towards the backend: the client's, or the backend's own name."),
  prefixField: fieldName()
    .optional()
    .describe(
      'Header field that tells the backend the mount, for instance X-Script-Name for Radicale. Such a backend writes addresses as clients see them, so Location and Destination are not mapped.',
    ),
  responseTimeout: duration()
    .default(10 * MINUTE)
    .describe('A request without an octet from or to the backend for so long ends; above the longest poll.'),
  maxBody: size()
    .default(100 * 1024 ** 2)
    .describe('Largest request body (413 above it).'),
})

export type Directory = Settings<typeof directorySchema>

const DEFAULT_DIRECTORY = {
  mount: '/',
  backendPath: '/',
  auth: ['basic' as const],
  host: 'pass' as const,
  responseTimeout: 10 * MINUTE,
  maxBody: 100 * 1024 ** 2,
}

/** The block `http` of the configuration. */
export const httpSchema = z
  .strictObject({
    directories: z
      .array(directorySchema)
      .min(1)
      .default([DEFAULT_DIRECTORY])
      .refine(
        (list) => new Set(list.map(({ mount }) => mount.toLowerCase().replace(/\/$/, ''))).size === list.length,
        'two directories have the same mount',
      )
      .describe('Virtual directories. Without any, everything is forwarded by the location of its user.'),
    httpsUrl: z
      .string()
      .regex(/^https:\/\/[A-Za-z0-9.[\]:-]+$/, 'expected https://host or https://host:port')
      .optional()
      .describe('Where requests without encryption are sent (308). Without it they are refused (403).'),
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
      .default('Mail')
      .describe('Realm of directories without one.'),
    keepAlive: duration().default(75_000).describe('How long a connection may wait for its next request.'),
    headerTimeout: duration().default(20_000).describe('Time for a whole request head from its first octet.'),
    bodyTimeout: duration()
      .default(2 * MINUTE)
      .describe('A request body may stand still so long.'),
    maxHead: size()
      .default(64 * 1024)
      .describe('Largest request or response head; tokens in it are long (431 above it).'),
    maxTarget: size()
      .default(8 * 1024)
      .describe('Longest request target (414 above it).'),
    maxFields: z.int().min(1).default(100).describe('Most header fields of one message (431 above it).'),
    discardBody: size()
      .default(256 * 1024)
      .describe('A refused request has its body read and dropped up to here, so that the connection can go on.'),
  })
  .prefault({})

export type HttpSettings = Settings<typeof httpSchema>

/** An HTTP listener has no keys of its own. */
export const httpListenerSchema = z.strictObject({})

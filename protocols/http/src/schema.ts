// SPDX-License-Identifier: MIT
import type { Secret } from '@portico/base'
import { duration, type Settings, secret, size, z } from '@portico/config'
import { activeSyncSchema } from './activesync/schema.js'
import { readProfileSigner } from './autodiscover/profile-signer.js'
import { directorySchema } from './directory/schema.js'
import { formsSchema } from './forms/schema.js'
import { outlookAnywhereSchema } from './outlook/schema.js'

const MINUTE = 60_000

/** Tells why a key cannot sign. */
function checkSigner(
  pem: Secret<string>,
  context: { addIssue(issue: { code: 'custom'; message: string }): void },
): void {
  try {
    readProfileSigner(pem)
  } catch (error) {
    const message = `expected PEM with a key, its certificate and those above it: ${(error as Error).message}`
    context.addIssue({ code: 'custom', message })
  }
}

/** The block `http` of the configuration. */
export const httpSchema = z
  .strictObject({
    directories: z
      .array(directorySchema)
      .min(1)
      .refine(
        (list) => new Set(list.map(({ mount }) => mount.toLowerCase().replace(/\/$/, ''))).size === list.length,
        'two directories have the same mount',
      )
      .prefault([{ mount: '/' }])
      .describe('Virtual directories. Without any, everything is forwarded by the location of its user.'),
    httpsUrl: z
      .string()
      .regex(/^https:\/\/[A-Za-z0-9.[\]:-]+$/, 'expected https://host or https://host:port')
      .optional()
      .describe('Where requests without encryption are sent (308). Without it they are refused (403).'),
    acmeWebroot: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder in which an ACME client leaves its challenges, below `.well-known/acme-challenge` (RFC 8555 section 8.3): a door serves them.',
      ),
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
      .default('Mail')
      .describe('Realm of directories without one.'),
    http2: z
      .boolean()
      .default(true)
      .describe('Offers HTTP/2 to clients on TLS. What belongs to a connection (NTLM, upgrades) stays with HTTP/1.1.'),
    streams: z
      .int()
      .min(1)
      .max(1000)
      .default(100)
      .describe('Most requests that one connection of HTTP/2 has under way (RFC 9113 section 5.1.2).'),
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
    profileSigner: secret()
      .superRefine(checkSigner)
      .optional()
      .describe(
        "Key, certificate and those above it, in one PEM file: signs the profiles for Apple's devices, which show unsigned ones with a warning. See [autodiscover.md](autodiscover.md#apple).",
      ),
    forms: formsSchema,
    activeSync: activeSyncSchema,
    outlookAnywhere: outlookAnywhereSchema,
  })
  .prefault({})

export type HttpSettings = Settings<typeof httpSchema>

/** The keys of an HTTP listener alone. */
export const httpListenerSchema = z.strictObject({
  door: z
    .boolean()
    .optional()
    .describe(
      'Whether it only leads to `http.httpsUrl`, serves the challenges of `http.acmeWebroot` and the pages for balancers. When absent: if there is a `http.httpsUrl`, and neither TLS nor a password is allowed here.',
    ),
})

export type HttpListenerOptions = Settings<typeof httpListenerSchema>

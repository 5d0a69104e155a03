// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

const atom = () => z.string().regex(/^[A-Za-z0-9+=._/-]+$/, 'expected a capability name')
const printable = () =>
  z
    .string()
    .max(1024)
    .regex(/^[\x20-\x7e]*$/, 'expected printable ASCII')

/** The `imap4` block of the configuration. */
export const imap4Schema = z
  .strictObject({
    capabilities: z
      .array(atom())
      .default([])
      .describe('Further capabilities to announce before sign-in. Name only what every backend can do.'),
    id: z
      .record(
        z
          .string()
          .min(1)
          .max(30)
          .regex(/^[\x21-\x7e]+$/),
        printable(),
      )
      .default({ name: 'Portico' })
      .describe('What the ID command answers (RFC 2971 section 3.3). An empty map answers NIL.'),
    forwardClientFacts: z
      .boolean()
      .default(true)
      .describe(
        'Tell backends that offer ID who the client is: x-originating-ip, x-session-id and their like, and what its own ID says of its program.',
      ),
    trustReauthentication: z
      .boolean()
      .default(false)
      .describe('Accept backends that offer UNAUTHENTICATE (RFC 8437): a session could change its user unseen.'),
  })
  .prefault({})

export type Imap4Settings = Settings<typeof imap4Schema>

/** IMAP4 has no listener keys of its own. */
export const imap4ListenerSchema = z.strictObject({})

// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

/** The `pop3` block of the configuration. */
export const pop3Schema = z
  .strictObject({
    capabilities: z
      .array(z.string().regex(/^[A-Za-z0-9-]+( [\x21-\x7e]+)*$/, 'expected a capability line (RFC 2449 section 3)'))
      .default(['TOP', 'UIDL', 'PIPELINING'])
      .describe('Capability lines about the mailbox, announced before sign-in. Name only what every backend can do.'),
    forwardClientFacts: z.boolean().default(true).describe('Tell backends that offer XCLIENT who the client is.'),
  })
  .prefault({})

export type Pop3Settings = Settings<typeof pop3Schema>

/** POP3 has no listener keys of its own. */
export const pop3ListenerSchema = z.strictObject({})

// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

/** What is announced because of what we do ourselves. */
const OWN = /^(?:UTF8|LANG|STLS|USER|SASL|XCLIENT|RESP-CODES|AUTH-RESP-CODE)(?: |$)/i

/** The `pop3` block of the configuration. */
export const pop3Schema = z
  .strictObject({
    capabilities: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9-]+( [\x21-\x7e]+)*$/, 'expected a capability line (RFC 2449 section 3)')
          .refine(
            (line) => !OWN.test(line),
            'expected a capability of the mailbox: this one follows from other settings',
          ),
      )
      .default(['TOP', 'UIDL', 'PIPELINING'])
      .describe('Capability lines about the mailbox, announced before sign-in. Name only what every backend can do.'),
    utf8: z
      .enum(['no', 'yes', 'user'])
      .default('no')
      .describe(
        'Whether UTF8 is offered before sign-in (RFC 6856 section 2), and with `user` names and passwords in UTF-8. Only where every backend offers it too: it is asked for there before the sign-in.',
      ),
    languages: z
      .array(
        z
          .string()
          .regex(
            /^[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*(?: [^\x00-\x1f\x7f]+)?$/,
            'expected a language tag and a name',
          ),
      )
      .default([])
      .describe(
        'Languages that LANG offers before sign-in (RFC 6856 section 3), each a tag and a name such as `de Deutsch`. Name only what every backend speaks.',
      ),
    forwardClientFacts: z.boolean().default(true).describe('Tell backends that offer XCLIENT who the client is.'),
  })
  .prefault({})

export type Pop3Settings = Settings<typeof pop3Schema>

/** POP3 has no listener keys of its own. */
export const pop3ListenerSchema = z.strictObject({})

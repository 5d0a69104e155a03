// SPDX-License-Identifier: MIT
import { duration, type Settings, z } from '@portico/config'
import { type Mechanism, serverMechanismNames, serverMechanisms } from '@portico/sasl'
import { actingSchema } from './acting.js'
import { namingSchema } from './naming.js'

const SECOND = 1_000

/** Old or open doors: only where a site asks for them. */
const UNASKED: readonly string[] = ['EXTERNAL', 'CRAM-MD5', 'APOP', 'ANONYMOUS']

/** How sign-ins are slowed down and remembered: the `auth` block of the configuration. */
export const authSchema = z
  .strictObject({
    delays: z
      .array(duration())
      .min(1)
      .default([0, 2 * SECOND, 4 * SECOND, 8 * SECOND, 15 * SECOND])
      .describe(
        'How long the answer to a failed sign-in is held back: first failure, second, and so on; the last one repeats.',
      ),
    window: duration().default(600_000).describe('Failures are forgotten this long after the first of them.'),
    failuresPerUserAndAddress: z
      .int()
      .min(1)
      .default(10)
      .describe(
        'After so many different wrong passwords for one user from one client address (IPv6: one /64) further attempts from there are not looked at until the window ends. Other addresses are not affected.',
      ),
    failuresPerAddress: z
      .int()
      .min(1)
      .default(300)
      .describe('The same for one client address and all users together, against guessing across many accounts.'),
    addressGrace: z
      .int()
      .min(0)
      .default(10)
      .describe('So many failures of one client address over all users delay nobody: several people may share it.'),
    exemptNetworks: z
      .array(z.string())
      .default([])
      .describe('Names of networks whose clients are counted per user only, such as web mail servers of the site.'),
    cache: z
      .strictObject({
        ttl: duration()
          .default(60_000)
          .describe('How long a proved password is remembered, so that hashing is not repeated. 0s turns it off.'),
        entries: z.int().min(1).default(10_000).describe('Most proofs that one process remembers.'),
      })
      .prefault({})
      .describe('Memory of what was proved. Wrong passwords are never remembered.'),
    mechanisms: z
      .array(
        z
          .string()
          .transform((text) => text.toUpperCase())
          .refine((text) => serverMechanismNames.includes(text), `expected one of ${serverMechanismNames.join(', ')}`),
      )
      .min(1)
      .optional()
      .describe(
        `SASL mechanisms that may be offered; absent: all but ${UNASKED.join(', ')}. EXTERNAL takes a client certificate, where a listener asks for them: one whose SHA-256 fingerprint an account of the users file has as \`certificate=…\`, or what \`certificates\` says. APOP is POP3's own command, and needs accounts that are stored as PLAIN. SCRAM and CRAM-MD5 need accounts that are stored as PLAIN or in the mechanism's own form: unless named here they are offered only if every account is. All of these leave no password to show, so that they are not offered where the backends take passwords only.`,
      ),
    certificates: z
      .strictObject({
        user: z
          .enum(['fingerprint', 'commonName', 'email', 'upn'])
          .default('fingerprint')
          .describe(
            "Which field of a client certificate names its account, for EXTERNAL: none (`fingerprint`: an account of the users file names the certificate), the subject's common name, the e-mail address or the user principal name under subjectAltName. A certificate with two of them names nobody. An account with a `certificate=…` of its own takes no other.",
          ),
        domain: z.enum(['keep', 'strip']).default('keep').describe('`strip`: what follows the last @ is cut off.'),
        addDomain: z.string().min(1).optional().describe('Added to a name without @.'),
        fromBalancers: z
          .boolean()
          .default(false)
          .describe(
            'Balancers that send a PROXY header of version 2 are believed what common name a client certificate has that they verified; `user: commonName` only.',
          ),
      })
      .refine(({ user, fromBalancers }) => !fromBalancers || user === 'commonName', {
        path: ['fromBalancers'],
        error: 'expected user: commonName, which is all that balancers tell',
      })
      .prefault({})
      .describe('Client certificates as accounts. Their authority is `clientCertificates` of the listener.'),
    names: namingSchema,
    actingFor: actingSchema,
    anonymousUser: z
      .string()
      .min(1)
      .default('anonymous')
      .describe('The account that clients of ANONYMOUS act as; it is located like any other.'),
  })
  .prefault({})

/** Times in milliseconds. */
export type AuthSettings = Settings<typeof authSchema>

/** The mechanisms that these settings allow, strongest first. */
export function allowedMechanisms({ mechanisms }: Pick<AuthSettings, 'mechanisms'>): readonly Mechanism[] {
  return serverMechanisms.filter(({ name }) => mechanisms?.includes(name) ?? !UNASKED.includes(name))
}

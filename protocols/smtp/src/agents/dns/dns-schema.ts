// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { formatAddress } from '@portico/base'
import { address, duration, type Settings, z } from '@portico/config'

/** Below it an honest server that has to ask others would not have answered. */
const SHORTEST_MS = 500

/** `smtp.dns`. */
export const dnsSchema = z
  .strictObject({
    servers: z
      .array(
        address().transform((server, context) => {
          if (server.kind === 'tcp' && isIP(server.host) !== 0) return formatAddress(server)
          context.addIssue({ code: 'custom', message: 'expected an address and a port, such as 127.0.0.1:53' })
          return z.NEVER
        }),
      )
      .min(1)
      .max(8)
      .optional()
      .describe(
        'Name servers, with their ports: they have to answer for all names, as a resolver does. Those of the machine (`/etc/resolv.conf`) when absent. ' +
          'The next one is asked where one does not answer.',
      ),
    timeout: duration()
      .refine((ms) => ms >= SHORTEST_MS && ms <= 60_000, 'expected 500ms to 1m')
      .default(5_000)
      .describe(
        'How long an answer may take, all repetitions at all servers together. A question is repeated as often as fits into it.',
      ),
    maxLookups: z
      .int()
      .min(1)
      .default(256)
      .describe('Questions that are with the name servers at a time, of each process; others wait.'),
  })
  .prefault({})
  .describe('How agents ask the DNS.')

export type DnsSettings = Settings<typeof dnsSchema>

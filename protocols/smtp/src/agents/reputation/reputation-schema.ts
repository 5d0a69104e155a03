// SPDX-License-Identifier: MIT
import { duration, type Settings, z } from '@portico/config'
import { exceptRecipients } from '../address-list.js'
import { agentKeys } from '../agent-type.js'

const span = (ms: number) =>
  duration()
    .refine((value) => value > 0, 'expected a time')
    .default(ms)

const DAY = 24 * 60 * 60_000

export const reputationSchema = z
  .strictObject({
    type: z.literal('reputation'),
    ...agentKeys({ action: 'reject' }),
    threshold: z
      .int()
      .min(1)
      .max(9)
      .default(7)
      .describe('Sender reputation level, 0 (good) to 9, from which on a client is blocked.'),
    from: z.int().min(1).default(20).describe('Messages of a client before it is judged.'),
    window: span(DAY).describe('How long the messages of a client count, from the first one on.'),
    blockFor: span(DAY).describe('How long a client is blocked. Then it begins anew.'),
    reverseName: z
      .boolean()
      .default(true)
      .describe(
        'Looks up whether the address has a name that leads back to it, when a message is over; nobody waits for it.',
      ),
    when: z
      .enum(['rcpt', 'connect'])
      .default('rcpt')
      .describe(
        'When a blocked client is refused. `rcpt`: at each recipient, so that `exceptRecipients` counts. `connect`: instead of a greeting.',
      ),
    exceptRecipients: exceptRecipients(),
  })
  .describe('Clients by what they have sent before: whoever sends little but spam is blocked for a time.')

export type ReputationSettings = Settings<typeof reputationSchema>

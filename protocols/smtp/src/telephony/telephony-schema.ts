// SPDX-License-Identifier: MIT
import { duration, type Settings, size, z } from '@portico/config'
import { agentKeys } from '../agents/agent-type.js'
import { MESSAGE_CLASSES } from './message-class.js'

const MIB = 1024 ** 2

const voiceLimits = z
  .strictObject({
    maxSize: size()
      .default(20 * MIB)
      .describe('Largest voice message: room for an hour at 32 kbit/s (RFC 3801 section 4.4.1).'),
    maxDuration: duration()
      .default(3_600_000)
      .describe('Longest voice message, as `X-VoiceMessageDuration` or `Content-Duration` (RFC 3803) says.'),
  })
  .prefault({})
  .describe('Voice messages.')

const faxLimits = z
  .strictObject({
    maxSize: size()
      .default(20 * MIB)
      .describe('Largest fax: a page takes 50 to 100 KiB, and more where it shows pictures.'),
    maxPages: z.int().min(1).default(200).describe('Most pages of a fax, as `X-FaxNumberOfPages` says.'),
  })
  .prefault({})
  .describe('Faxes.')

/** The block of the agent that recognises voice messages and faxes. */
export const telephonySchema = z
  .strictObject({
    type: z.literal('telephony'),
    ...agentKeys({ action: 'reject' }),
    partners: z
      .record(z.string(), z.enum(MESSAGE_CLASSES))
      .default({})
      .describe(
        'Connectors by which a partner sends one class of messages and nothing else, such as `hylafax: fax`. It counts for those who have the permission `telephony-headers` there.',
      ),
    limits: z
      .strictObject({ voice: voiceLimits, fax: faxLimits })
      .prefault({})
      .describe('Most of a message whose class is certain; what is more is a finding.'),
  })
  .describe('Voice messages and faxes: believes partners, and nobody else.')

export type TelephonySettings = Settings<typeof telephonySchema>

// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { agentKeys, serviceKeys } from '../agent-type.js'

/** What runs as soon as somebody on Windows or macOS opens it. */
const PROGRAMS =
  'app bat cmd com cpl exe gadget hta inf jar js jse lnk msc msi msp pif ps1 reg scf scr sct url vb vbe vbs wsc wsf wsh'.split(
    ' ',
  )

const MOST_ENTRIES = 1_000

const globs = () => z.array(z.string().min(1).max(255)).max(MOST_ENTRIES).default([])

export const attachmentFilterSchema = z
  .strictObject({
    type: z.literal('attachment-filter'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 60_000, whenAway: 'tempfail' }),
    extensions: z
      .array(z.string().regex(/^[^.\s/\\]{1,32}$/, 'expected an extension without its dot'))
      .max(MOST_ENTRIES)
      .default(PROGRAMS)
      .describe(
        'What stands behind the last dot of a file’s name. When absent what runs as soon as somebody opens it.',
      ),
    names: globs().describe('Names of files, in any case; `*` stands for any run of characters, `?` for one.'),
    types: globs().describe('Media types as the message says, such as `video/*`.'),
    executables: z
      .boolean()
      .default(true)
      .describe(
        'Programs by their first octets, whatever they are called: Windows, Linux, macOS, Java, scripts, shortcuts.',
      ),
    passwordProtected: z.boolean().default(false).describe('Zip archives in which a file is encrypted.'),
    archives: z
      .boolean()
      .default(true)
      .describe(
        'Whether names of files in zip archives and in files of Outlook’s own format count as well. They are read, not unpacked.',
      ),
    strip: z
      .boolean()
      .default(false)
      .describe('Instead of its `action`: the message goes on, and a note stands where the attachment was.'),
    unreadable: z
      .enum(['pass', 'refuse'])
      .default('refuse')
      .describe(
        'What holds for a message that has more parts, or messages within messages, than are looked at. `refuse`: it is a finding.',
      ),
  })
  .describe('Attachments by their name, type and first octets.')

export type AttachmentFilterSettings = Settings<typeof attachmentFilterSchema>

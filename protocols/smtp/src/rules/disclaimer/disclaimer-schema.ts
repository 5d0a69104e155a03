// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

/** Characters of a disclaimer: it is sent with every message. */
const LONGEST = 64 * 1024

const text = () => z.string().min(1).max(LONGEST)

/** A text that a rule puts into messages. */
export const disclaimerSchema = z.strictObject({
  location: z
    .enum(['append', 'prepend'])
    .default('append')
    .describe('Whether it stands below the text of the message or above it.'),
  html: text().describe('As it stands in HTML: whole elements, no document.'),
  text: text().optional().describe('As it stands in plain text; when absent the text of `html`.'),
  fallback: z
    .enum(['wrap', 'ignore', 'reject'])
    .default('wrap')
    .describe(
      'When nothing can be put into a message, since it is signed or encrypted or has no text. `wrap`: a new message takes it along as an attachment. `ignore`: it goes as it is. `reject`: it is refused with 550 5.7.1.',
    ),
})

export type DisclaimerSettings = Settings<typeof disclaimerSchema>

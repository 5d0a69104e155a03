// SPDX-License-Identifier: MIT
import { DEFAULT_CONTENT_LIMITS } from '../../content/content.js'
import { contentOf } from '../../content/content-of.js'
import { say } from '../../replies.js'
import { type Agent, type DataEndFacts, type Opinion, PASS } from '../agent.js'
import { type AgentType, agentBasics } from '../agent-type.js'
import { type AttachmentFilterSettings, attachmentFilterSchema } from './attachment-filter-schema.js'
import { attachmentJudge } from './judge-attachment.js'
import { stripAttachments } from './strip-attachments.js'

/** What somebody wrote who meant no harm hears of it, but not which names would be accepted. */
const REPLY = say(550, '5.7.1', 'This message has an attachment that is not accepted here')

/** Attachments by their name, type and first octets. */
function make(settings: AttachmentFilterSettings): Agent {
  const judge = attachmentJudge(settings)
  const strip = stripAttachments(judge)
  const handlers = {
    async dataEnd({ message, fields }: DataEndFacts, signal: Parameters<typeof contentOf>[3]): Promise<Opinion> {
      const content = await contentOf(message, fields, DEFAULT_CONTENT_LIMITS, signal)
      if (content.kind === 'unreadable') {
        if (content.ours === true) throw new Error(content.why)
        return settings.unreadable === 'pass' ? PASS : { kind: 'against', reply: REPLY, reason: content.why }
      }
      const reason = content.attachments.map(judge).find((why) => why !== undefined)
      if (reason === undefined) return PASS
      return settings.strip ? { kind: 'pass', rewrite: strip } : { kind: 'against', reply: REPLY, reason }
    },
  }
  // Whoever is known to send no spam may still send a program without knowing it.
  return { name: 'attachment-filter', antiSpam: false, ...agentBasics(settings), open: () => handlers }
}

/** The agent type `attachment-filter`. */
export const attachmentFilter: AgentType<AttachmentFilterSettings> = {
  type: 'attachment-filter',
  priority: 90,
  schema: attachmentFilterSchema,
  make,
}

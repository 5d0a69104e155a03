// SPDX-License-Identifier: MIT
import { hindrance } from '../agents/ask-agents.js'
import type { Dialogue, Next } from '../dialogue.js'
import type { HelloCommand } from '../parse.js'
import { REPLIES } from '../replies.js'
import { backendExtensions, ehloLines, usableExtensions } from './extensions.js'

/** HELO knows no extensions (RFC 5321 section 4.1.1.1). */
const NOTHING: ReadonlySet<string> = new Set()

/**
 * EHLO and HELO (RFC 5321 section 4.1.1.1), or LHLO where we speak LMTP (RFC 2033 section 4.1). Each ends a transaction (section
 * 4.1.4).
 */
export async function hello(dialogue: Dialogue, command: HelloCommand): Promise<Next> {
  if ((command.kind === 'lhlo') !== dialogue.connector.lmtp) return dialogue.mistake(REPLIES.otherHello)
  await dialogue.resetTransaction()
  if (dialogue.agents !== undefined) {
    const hindered = await hindrance(dialogue, 'ehlo', command)
    if (hindered !== undefined) return hindered
  }
  dialogue.helo = command
  const { hostname } = dialogue.session.services
  if (command.kind === 'helo') {
    dialogue.offered = NOTHING
    dialogue.reply({ code: 250, lines: [hostname] })
    return 'next'
  }
  const theirs = await backendExtensions(dialogue)
  dialogue.offered = usableExtensions(dialogue, theirs)
  dialogue.reply({ code: 250, lines: [hostname, ...ehloLines(dialogue, theirs)] })
  return 'next'
}

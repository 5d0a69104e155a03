// SPDX-License-Identifier: MIT
import type { LogFacts } from '@portico/telemetry'
import { formatReply, type Reply } from '../replies.js'
import type { Action, AgentEvent, Opinion } from './agent.js'

/** An action without its address. */
export function nameOfAction(action: Action): keyof typeof REPORTS {
  return typeof action === 'object' ? 'quarantine' : action
}

/** What the log says of a finding, by what became of it. */
export const REPORTS = {
  reject: 'an agent refused',
  tempfail: 'an agent put off',
  tag: 'an agent marked',
  quarantine: 'an agent sent a message to quarantine',
} as const

/** It would change nothing. What it would only take out may be in no message at all. */
export function isMute(opinion: Opinion): boolean {
  if (opinion.kind !== 'pass') return false
  return (opinion.edits?.prepend ?? []).length === 0 && opinion.envelope === undefined && opinion.rewrite === undefined
}

/** What the log tells of an opinion besides its kind. */
export function toldOf(opinion: Opinion): LogFacts {
  switch (opinion.kind) {
    case 'pass':
      return { fields: opinion.edits?.prepend }
    case 'exempt':
      return {}
    case 'discard':
      return { reason: opinion.reason }
    case 'refuse':
      return { reply: formatReply(opinion.reply).trimEnd() }
    case 'against':
      return { reason: opinion.reason, reply: formatReply(opinion.reply).trimEnd() }
  }
}

/** The same words for somebody who is to try again; before a greeting there is one code for that (RFC 5321 section 3.8). */
export function temporary(reply: Reply, event: AgentEvent): Reply {
  if (reply.code < 500) return reply
  const enhanced = reply.enhanced === undefined ? {} : { enhanced: reply.enhanced.replace(/^5/, '4') }
  return { ...reply, code: event === 'connect' ? 421 : 451, ...enhanced }
}

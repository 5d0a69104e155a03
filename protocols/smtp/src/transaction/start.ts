// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { refusalOf } from '../backend/reply.js'
import type { Dialogue } from '../dialogue.js'
import { REPLIES, type Reply } from '../replies.js'
import type { Branch } from './envelope.js'
import { together } from './together.js'

/**
 * Says DATA to backends and awaits 354 (RFC 5321 section 4.1.1.4). One that refuses has its refusal in the branch afterwards; of one
 * that says something else nobody knows what it believes, and it is dropped. Returns the first refusal.
 */
export async function startData(dialogue: Dialogue, branches: readonly Branch[]): Promise<Reply | undefined> {
  await together(dialogue.session.signal, branches, (branch, signal) => startAt(dialogue, branch, signal))
  return branches.find(({ refusal }) => refusal !== undefined)?.refusal
}

async function startAt({ settings }: Dialogue, branch: Branch, signal: Cancellation): Promise<void> {
  const { backend } = branch
  if (backend.over) {
    branch.refusal = REPLIES.backendTrouble
    return
  }
  const answer = await backend.command('DATA', settings.backendReply, signal)
  if (answer.kind === 'reply' && answer.reply.code === 354) return
  branch.refusal = answer.kind === 'lost' ? REPLIES.backendTrouble : refusalOf(answer.reply, REPLIES.backendTrouble)
  if (answer.kind === 'reply' && answer.reply.code < 400) backend.drop()
}

/** Gives up branches at which DATA was tried: those that refused confirm RSET, those that wait for a message are cut. */
export async function abandonStarted(dialogue: Dialogue, branches: readonly Branch[]): Promise<void> {
  for (const { backend, refusal } of branches) if (refusal === undefined) backend.drop()
  await dialogue.resetBranches(branches)
}

// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import { passedOn } from '../backend/reply.js'
import type { Answer } from '../backend/session.js'
import type { Dialogue } from '../dialogue.js'
import { REPLIES, type Reply } from '../replies.js'
import { addresseesOf, type Branch, type Envelope } from './envelope.js'
import type { Outlet } from './outlet.js'
import { together } from './together.js'

/**
 * Awaits what backends say of a message that has been ended there, a reply for each of their recipients. If one dies now nobody knows whether it has taken the
 * message: a sender that tries again makes a duplicate, one that does not loses nothing we promised (RFC 1047).
 */
export async function awaitVerdicts(
  dialogue: Dialogue,
  envelope: Envelope,
  branches: readonly Branch[],
  outlets: readonly Outlet[],
): Promise<readonly Reply[]> {
  const said = await together(dialogue.session.signal, outlets, (outlet, signal) => repliesOf(dialogue, outlet, signal))
  const [only] = said
  if (only !== undefined && envelope.branches.length === 1) return only
  const replies = new Map(outlets.map(({ branch }, at) => [branch, said[at]]))
  return addresseesOf(envelope)
    .filter(({ branch }) => branches.includes(branch))
    .map(({ branch }) => replies.get(branch)?.shift() ?? branch.refusal ?? REPLIES.backendTrouble)
}

/** A reply for each recipient: in LMTP the backend gives as many (RFC 2033 section 4.2), in SMTP its one answer is for all. */
async function repliesOf({ settings }: Dialogue, outlet: Outlet, signal: Cancellation): Promise<Reply[]> {
  const { backend, recipients, refusal } = outlet.branch
  const replies: Reply[] = []
  if (!outlet.lost) {
    outlet.detach()
    const answers = await backend.verdicts(settings.backendVerdict, signal)
    replies.push(...answers.map((answer) => judged(answer, outlet)))
    if (outlet.early || answers.some(asksForMore)) backend.drop()
  }
  const [first = refusal ?? REPLIES.backendTrouble] = replies
  while (replies.length < recipients) replies.push(first)
  return replies
}

/** What a backend says of a chunk. */
export async function chunkReply({ settings, session }: Dialogue, outlet: Outlet): Promise<Reply> {
  const { backend } = outlet.branch
  outlet.unanswered = 0
  outlet.detach()
  return judged(await backend.answer(settings.backendReply, session.signal), outlet)
}

/** A reply that came before the end of what it answers may refuse, but cannot accept. */
function judged(answer: Answer, { early }: Outlet): Reply {
  if (answer.kind === 'lost' || (early && answer.reply.code < 400)) return REPLIES.backendTrouble
  return passedOn(answer.reply, REPLIES.backendTrouble)
}

/** Where there is no more: nobody knows what the backend believes. */
function asksForMore(answer: Answer): boolean {
  return answer.kind === 'reply' && answer.reply.code >= 300 && answer.reply.code < 400
}

/**
 * The one answer of SMTP to a message with several verdicts. When anybody is put off, all are sent again: who has the message
 * already gets it twice, which the site has to want.
 */
export function oneAnswer(verdicts: readonly Reply[]): Reply {
  const [first] = verdicts
  const worst = verdicts.find(({ code }) => code >= 400 && code < 500) ?? verdicts.find(({ code }) => code >= 500)
  return worst ?? first ?? REPLIES.backendTrouble
}

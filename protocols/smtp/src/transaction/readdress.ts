// SPDX-License-Identifier: MIT
import { isSameMailbox, type Mailbox } from '../address.js'
import type { EnvelopeEdits } from '../agents/agent.js'
import type { Dialogue } from '../dialogue.js'
import { formatReply, REPLIES, type Reply } from '../replies.js'
import { addedCallRefusal } from '../telephony/toll-guard.js'
import { askRecipient } from './ask-recipient.js'
import type { Asked } from './begin.js'
import { rulesOf } from './branches.js'
import type { Branch, Envelope, Recipient } from './envelope.js'
import { type Fault, faultOf, faultWith } from './fault.js'
import { wayOfRecipient } from './way.js'

const PLAIN = { notify: undefined, orcpt: undefined }

/** Whom a message goes to after all edits, in the order in which they were made. Nobody gets it twice. */
export function addressees(recipients: readonly Asked[], edits: readonly EnvelopeEdits[]): readonly Asked[] {
  let list = recipients
  for (const { redirect, drop = [], add = [] } of edits) {
    const before = redirect === undefined ? list : redirect.map(asPlain)
    list = [...before.filter(({ mailbox }) => !drop.some((one) => isSameMailbox(one, mailbox))), ...add.map(asPlain)]
  }
  return list.filter(({ mailbox }, at) => list.findIndex((one) => isSameMailbox(one.mailbox, mailbox)) === at)
}

/**
 * Sends a message that no backend has seen anything of to other recipients than its client said. Those who are added are asked for at
 * their backends as all are; one of them who is refused puts the message off, for the client cannot be told of it. Undefined: done.
 */
export async function readdress(
  dialogue: Dialogue,
  envelope: Envelope,
  wanted: readonly Asked[],
): Promise<Fault | undefined> {
  const { recipients } = envelope
  const stays = recipients.every(({ mailbox }) => holds(wanted, mailbox))
  const kept: Recipient[] = stays ? [...recipients] : []
  if (!stays) await beginAnew(dialogue, envelope)
  for (const asked of wanted) {
    if (kept.some(({ mailbox }) => isSameMailbox(mailbox, asked.mailbox))) continue
    const recipient = await ask(dialogue, envelope, asked)
    if ('why' in recipient) return recipient
    kept.push(recipient)
  }
  envelope.readdressed = kept
  return undefined
}

/** Backends that have accepted recipients who are not to get it forget them (RFC 5321 section 4.1.1.5). */
async function beginAnew(dialogue: Dialogue, envelope: Envelope): Promise<void> {
  await dialogue.resetBranches(envelope.branches)
  envelope.branches.length = 0
}

/** Its sender gets one answer whatever the routes are: a recipient that is added may take another one. */
async function ask(dialogue: Dialogue, envelope: Envelope, asked: Asked): Promise<Recipient | Fault> {
  const costly = await addedCallRefusal(dialogue, asked.mailbox)
  if (costly !== undefined) return refused(dialogue, asked, costly)
  const way = await wayOfRecipient(dialogue, asked.mailbox)
  if (way.kind === 'gone') return faultOf('backend-lost')
  if (way.kind === 'refused') return refused(dialogue, asked, way.reason)
  const rules = { ...rulesOf(dialogue.connector), many: true }
  const heard = await askRecipient(dialogue, envelope, way.way, asked, rules)
  if (heard.kind === 'gone') return faultOf('backend-lost')
  if (heard.kind === 'refused') return refused(dialogue, asked, formatReply(heard.reply).trimEnd())
  if (heard.answer.kind === 'lost') return refused(dialogue, asked, heard.answer.code)
  const { reply } = heard.answer
  if (reply.code >= 300) return refused(dialogue, asked, `${reply.code} ${reply.lines.join(' ')}`)
  heard.branch.recipients += 1
  return { ...asked, branch: heard.branch }
}

/** What becomes of a message of which a copy was not taken; undefined: all of them were. */
export function missingCopy(
  { session }: Dialogue,
  copies: readonly Branch[],
  outcome: readonly Reply[] | Fault,
): Fault | undefined {
  const bad = 'why' in outcome ? outcome.reply : outcome.find(({ code }) => code >= 300)
  if (bad === undefined) return undefined
  const backends = copies.map(({ backend }) => backend.lease.backend.id)
  const facts = { session: session.id, backends, why: formatReply(bad).trimEnd() }
  session.services.log.error('a copy that agents want is not taken, the message is put off', facts)
  return faultWith('agent', REPLIES.backendTrouble)
}

function refused({ session }: Dialogue, { mailbox }: Asked, why: string): Fault {
  const facts = { session: session.id, recipient: mailbox.text, why }
  session.services.log.error('a recipient whom agents want is not taken, the message is put off', facts)
  return faultWith('agent', REPLIES.backendTrouble)
}

function asPlain(mailbox: Mailbox): Asked {
  return { mailbox, parameters: PLAIN }
}

function holds(list: readonly Asked[], mailbox: Mailbox): boolean {
  return list.some((one) => isSameMailbox(one.mailbox, mailbox))
}

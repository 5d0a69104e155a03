// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import { refusalOf } from '../backend/reply.js'
import type { Answer, BackendSession } from '../backend/session.js'
import type { Dialogue } from '../dialogue.js'
import { RECIPIENT_FAILURES, REPLIES, type Reply } from '../replies.js'
import { pathOf } from '../telephony/gateways.js'
import type { Branch, Envelope } from './envelope.js'
import { mailLine, missingAt, type RcptParameters, rcptLine } from './parameters.js'
import { open, type Way, without } from './way.js'

/** A recipient, and what was asked for it. */
export interface Asked {
  readonly mailbox: Mailbox
  readonly parameters: RcptParameters
}

/** What a backend said of a recipient, or why none was asked. `gone`: the client left meanwhile. */
export type Heard =
  | { readonly kind: 'heard'; readonly branch: Branch; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'gone' }

/** Asks a backend that has accepted MAIL already. */
export async function askBranch(dialogue: Dialogue, branch: Branch, asked: Asked): Promise<Heard> {
  const path = pathOf(dialogue.settings, asked.mailbox)
  const line = rcptLine(path, asked.parameters, branch.backend.extensions)
  if (line === undefined) return refused(REPLIES.noNotify)
  const answer = await branch.backend.command(line, dialogue.settings.backendReply, dialogue.session.signal)
  return { kind: 'heard', branch, answer }
}

/**
 * Begins a transaction at the way's backend and asks for its first recipient. A connection that is lost at that costs no client
 * anything while there is another one to try, for nothing of the message has gone out: where it had been lying ready a fresh one at
 * the same backend, then one at another backend.
 */
export async function beginBranch(dialogue: Dialogue, envelope: Envelope, way: Way, asked: Asked): Promise<Heard> {
  if (envelope.refusal !== undefined) return refused(envelope.refusal)
  let fresh = false
  const held = dialogue.backends.get(way.key)
  if (held?.usable === true) {
    const heard = await beginAt(dialogue, envelope, way, held, asked)
    if (heard.kind !== 'lost') return heard
    fresh = true
  }
  for (let next: Attempt | undefined = { way, fresh, detour: false }; next !== undefined; ) {
    const heard = await openAndBegin(dialogue, envelope, next, asked)
    if (heard.kind !== 'lost') return heard
    next = afterLoss(next, heard)
  }
  return refused(REPLIES.backendTrouble)
}

/** One try to open a backend on a way. */
interface Attempt {
  readonly way: Way
  /** On no connection that has been lying ready. */
  readonly fresh: boolean
  /** The backend of the way proper has been lost. */
  readonly detour: boolean
}

/** The backend went away before it said anything. `stale`: it had ended a connection that was lying ready. */
interface Lost {
  readonly kind: 'lost'
  readonly backend: string
  readonly stale: boolean
}

/** What is tried after a loss; each way fresh once, and only one other backend. */
function afterLoss({ way, fresh, detour }: Attempt, { backend, stale }: Lost): Attempt | undefined {
  if (stale && !fresh) return { way, fresh: true, detour }
  const elsewhere = detour ? undefined : without(way, backend)
  return elsewhere === undefined ? undefined : { way: elsewhere, fresh: true, detour: true }
}

async function openAndBegin(
  dialogue: Dialogue,
  envelope: Envelope,
  { way, fresh }: Attempt,
  asked: Asked,
): Promise<Heard | Lost> {
  const inUse = new Set(envelope.branches.map((branch) => branch.backend))
  dialogue.leaveBackends((backend) => !inUse.has(backend))
  const opened = await open(dialogue, way, dialogue.authenticated, { fresh })
  if (opened.kind === 'gone') return opened
  if (opened.kind === 'refused') return refused(RECIPIENT_FAILURES[opened.reason])
  return beginAt(dialogue, envelope, way, opened.backend, asked)
}

/** MAIL and the first RCPT. */
async function beginAt(
  dialogue: Dialogue,
  envelope: Envelope,
  way: Way,
  backend: BackendSession,
  asked: Asked,
): Promise<Heard | Lost> {
  const { parameters, sender } = envelope
  const { extensions } = backend
  const missing = missingAt(parameters, { extensions, encrypted: backend.leg.tls !== undefined })
  if (missing !== undefined) return refused(missing)
  const { settings, session } = dialogue
  const line = rcptLine(pathOf(settings, asked.mailbox), asked.parameters, extensions)
  if (line === undefined) return refused(REPLIES.noNotify)
  const { mail, rcpt } = await backend.begin(
    mailLine(sender?.text ?? '', parameters, extensions),
    line,
    settings.backendReply,
    session.signal,
  )
  if (mail.kind === 'lost') return lostAt(dialogue, backend, mail)
  if (mail.reply.code !== 250) return refused(mailRefusal(dialogue, envelope, backend, mail.reply))
  if (rcpt === undefined) return refused(REPLIES.backendTrouble)
  if (rcpt.kind === 'lost') return lostAt(dialogue, backend, rcpt)
  const branch: Branch = { way, backend, recipients: 0, refusal: undefined }
  envelope.branches.push(branch)
  return { kind: 'heard', branch, answer: rcpt }
}

function lostAt({ session }: Dialogue, { lease }: BackendSession, { code }: Extract<Answer, { kind: 'lost' }>) {
  if (session.signal.aborted) return { kind: 'gone' } as const
  const ended = code === 'closed' || code === 'reset'
  return { kind: 'lost', backend: lease.backend.id, stale: lease.kept && ended } as const
}

function mailRefusal(
  { session }: Dialogue,
  envelope: Envelope,
  backend: BackendSession,
  reply: Extract<Answer, { kind: 'reply' }>['reply'],
): Reply {
  if (reply.code === 530) {
    const facts = { session: session.id, backend: backend.lease.backend.id }
    session.services.log.error('the backend wants a login that was not asked for', facts)
    return REPLIES.backendTrouble
  }
  const refusal = refusalOf(reply, REPLIES.backendTrouble)
  // Lost connections may be better next time; what was said about the sender holds for every recipient.
  if (!backend.over) envelope.refusal = refusal
  return refusal
}

function refused(reply: Reply): Extract<Heard, { kind: 'refused' }> {
  return { kind: 'refused', reply }
}

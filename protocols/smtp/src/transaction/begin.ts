// SPDX-License-Identifier: MIT
import { refusalOf } from '../backend/reply.js'
import type { Answer, BackendSession } from '../backend/session.js'
import type { Dialogue } from '../dialogue.js'
import { RECIPIENT_FAILURES, REPLIES, type Reply } from '../replies.js'
import type { Branch, Envelope } from './envelope.js'
import { mailLine, missingAt, type RcptParameters, rcptLine } from './parameters.js'
import { open, type Way, without } from './way.js'

/** The recipient's path as it goes into a command, and what was asked for it. */
export interface Asked {
  readonly path: string
  readonly parameters: RcptParameters
}

/** What a backend said of a recipient, or why none was asked. `gone`: the client left meanwhile. */
export type Heard =
  | { readonly kind: 'heard'; readonly branch: Branch; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'gone' }

/** Asks a backend that has accepted MAIL already. */
export async function askBranch(dialogue: Dialogue, branch: Branch, asked: Asked): Promise<Heard> {
  const line = rcptLine(asked.path, asked.parameters, branch.backend.extensions)
  if (line === undefined) return refused(REPLIES.noNotify)
  const answer = await branch.backend.command(line, dialogue.settings.backendReply, dialogue.session.signal)
  return { kind: 'heard', branch, answer }
}

/**
 * Begins a transaction at the way's backend and asks for its first recipient. A connection that is lost at that costs one more
 * try, at another backend where there is one: nothing of the message has gone out.
 */
export async function beginBranch(dialogue: Dialogue, envelope: Envelope, way: Way, asked: Asked): Promise<Heard> {
  if (envelope.refusal !== undefined) return refused(envelope.refusal)
  const held = dialogue.backends.get(way.key)
  if (held?.usable === true) {
    const heard = await beginAt(dialogue, envelope, way, held, asked)
    // A kept connection may have been closed while nothing was to be done on it; no harm is done by asking again.
    if (heard !== undefined || !held.kept) return heard ?? refused(REPLIES.backendTrouble)
  }
  const first = await openAndBegin(dialogue, envelope, way, asked)
  if (first.heard !== undefined) return first.heard
  const elsewhere = first.lost === undefined ? undefined : without(way, first.lost)
  if (elsewhere === undefined) return refused(REPLIES.backendTrouble)
  return (await openAndBegin(dialogue, envelope, elsewhere, asked)).heard ?? refused(REPLIES.backendTrouble)
}

/** `lost`: the id of the backend that went away before it said anything. */
async function openAndBegin(
  dialogue: Dialogue,
  envelope: Envelope,
  way: Way,
  asked: Asked,
): Promise<{ readonly heard?: Heard; readonly lost?: string }> {
  const inUse = new Set(envelope.branches.map((branch) => branch.backend))
  dialogue.leaveBackends((backend) => !inUse.has(backend))
  const opened = await open(dialogue, way, dialogue.authenticated)
  if (opened.kind === 'gone') return { heard: opened }
  if (opened.kind === 'refused') return { heard: refused(RECIPIENT_FAILURES[opened.reason]) }
  const heard = await beginAt(dialogue, envelope, way, opened.backend, asked)
  return heard === undefined ? { lost: opened.backend.lease.backend.id } : { heard }
}

/** MAIL and the first RCPT. Undefined: the backend was lost before it said anything. */
async function beginAt(
  dialogue: Dialogue,
  envelope: Envelope,
  way: Way,
  backend: BackendSession,
  asked: Asked,
): Promise<Heard | undefined> {
  const { parameters, sender } = envelope
  const { extensions } = backend
  const missing = missingAt(parameters, { extensions, encrypted: backend.leg.tls !== undefined })
  if (missing !== undefined) return refused(missing)
  const line = rcptLine(asked.path, asked.parameters, extensions)
  if (line === undefined) return refused(REPLIES.noNotify)
  const { settings, session } = dialogue
  const { mail, rcpt } = await backend.begin(
    mailLine(sender?.text ?? '', parameters, extensions),
    line,
    settings.backendReply,
    session.signal,
  )
  if (mail.kind === 'lost') return session.signal.aborted ? { kind: 'gone' } : undefined
  if (mail.reply.code !== 250) return refused(mailRefusal(dialogue, envelope, backend, mail.reply))
  if (rcpt === undefined || rcpt.kind === 'lost') return session.signal.aborted ? { kind: 'gone' } : undefined
  const branch: Branch = { way, backend, recipients: 0, refusal: undefined }
  envelope.branches.push(branch)
  return { kind: 'heard', branch, answer: rcpt }
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

// SPDX-License-Identifier: MIT
import { refusalOf } from './backend-reply.js'
import type { BackendSession } from './backend-session.js'
import type { Dialogue, Envelope, Way } from './dialogue.js'
import { RECIPIENT_FAILURES, REPLIES, type Reply } from './replies.js'
import { open } from './sender.js'

/** The backend with MAIL accepted, or what the recipient is told. */
export type Begun =
  | { readonly kind: 'begun'; readonly backend: BackendSession }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'gone' }

/** Sees to it that the way's backend is open and has accepted MAIL of this envelope. */
export async function beginAtBackend(dialogue: Dialogue, envelope: Envelope, way: Way): Promise<Begun> {
  if (envelope.refusal !== undefined) return refused(envelope.refusal)
  const present = dialogue.backend
  if (present !== undefined && (!present.usable || dialogue.backendKey !== way.key)) leave(dialogue, envelope)
  if (dialogue.backend !== undefined && envelope.begun) return { kind: 'begun', backend: dialogue.backend }
  if (envelope.recipients > 0) return refused(REPLIES.backendTrouble)
  const { backend } = dialogue
  if (backend !== undefined) {
    const begun = await sendMail(dialogue, envelope, backend)
    // A kept connection may have been closed while nothing was to be done on it; no harm is done by asking again.
    if (begun !== undefined || !backend.kept) return begun ?? refused(REPLIES.backendTrouble)
  }
  const opened = await open(dialogue, way, dialogue.authenticated)
  if (opened.kind === 'gone') return opened
  if (opened.kind === 'refused') return refused(RECIPIENT_FAILURES[opened.reason])
  if (dialogue.backend === undefined) return refused(REPLIES.backendTrouble)
  return (await sendMail(dialogue, envelope, dialogue.backend)) ?? refused(REPLIES.backendTrouble)
}

/** Undefined: the backend was lost before it said anything. */
async function sendMail(dialogue: Dialogue, envelope: Envelope, backend: BackendSession): Promise<Begun | undefined> {
  const missing = missingAt(envelope, backend)
  if (missing !== undefined) return refused(missing)
  const { settings, session } = dialogue
  const answer = await backend.command(mailLine(envelope, backend), settings.backendReply, session.signal)
  if (backend.over) dialogue.dropBackend()
  if (answer.kind === 'lost') return session.signal.aborted ? { kind: 'gone' } : undefined
  if (answer.reply.code === 250) {
    envelope.begun = true
    return { kind: 'begun', backend }
  }
  if (answer.reply.code === 530) {
    session.services.log.error('the backend wants a login that was not asked for', {
      session: session.id,
      backend: backend.lease.backend.id,
    })
    return refused(REPLIES.backendTrouble)
  }
  const refusal = refusalOf(answer.reply, REPLIES.backendTrouble)
  // Lost connections may be better next time; what was said about the sender holds for every recipient.
  if (!backend.over) envelope.refusal = refusal
  return refused(refusal)
}

/** What the message needs and the backend does not have (RFC 6152 section 3, RFC 6531 section 3.5). */
function missingAt(envelope: Envelope, { extensions }: BackendSession): Reply | undefined {
  if (envelope.international && !extensions.has('SMTPUTF8')) return REPLIES.noSmtpUtf8
  if (envelope.body === '8BITMIME' && !extensions.has('8BITMIME')) return REPLIES.noEightBit
  return undefined
}

/** MAIL with those of the client's parameters that the backend knows. */
function mailLine(envelope: Envelope, { extensions }: BackendSession): string {
  return [
    `MAIL FROM:<${envelope.mailbox?.text ?? ''}>`,
    ...(envelope.size > 0 && extensions.has('SIZE') ? [`SIZE=${envelope.size}`] : []),
    ...(envelope.body !== undefined && extensions.has('8BITMIME') ? [`BODY=${envelope.body}`] : []),
    ...(envelope.international ? ['SMTPUTF8'] : []),
  ].join(' ')
}

/** Another backend's turn: what was begun at the present one is given up. */
function leave(dialogue: Dialogue, envelope: Envelope): void {
  dialogue.backend?.quit()
  dialogue.backend = undefined
  dialogue.backendKey = undefined
  envelope.begun = false
}

function refused(reply: Reply): Extract<Begun, { kind: 'refused' }> {
  return { kind: 'refused', reply }
}

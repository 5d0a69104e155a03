// SPDX-License-Identifier: MIT
import { passedOn, refusalOf } from '../backend-reply.js'
import type { BackendSession } from '../backend-session.js'
import { type DataFault, DataPump } from '../data-pump.js'
import type { Dialogue, Envelope, Next } from '../dialogue.js'
import { REPLIES, type Reply } from '../replies.js'
import { endOf } from '../session-end.js'
import { receivedField } from '../trace.js'

const FAULTS: Readonly<Record<DataFault, Reply>> = {
  'bare-line-end': REPLIES.bareLineEnd,
  nul: REPLIES.nul,
  'too-big': REPLIES.tooBig,
  loop: REPLIES.loop,
  'backend-lost': REPLIES.backendTrouble,
}

/**
 * DATA (RFC 5321 section 4.1.1.4). The backend is asked first, the octets go through as they come, and 250 is said only after
 * the backend's own. Whatever stops a message on its way cuts the backend connection before the end of the message is sent.
 */
export async function data(dialogue: Dialogue): Promise<Next> {
  const { envelope, backend, settings, session } = dialogue
  if (envelope === undefined) return dialogue.mistake(REPLIES.mailFirst)
  if (envelope.recipients === 0) {
    dialogue.reply(REPLIES.noRecipients)
    return 'next'
  }
  if (backend === undefined || backend.over) return over(dialogue, REPLIES.backendTrouble)
  const answer = await backend.command('DATA', settings.backendReply, session.signal)
  if (answer.kind === 'lost') return over(dialogue, REPLIES.backendTrouble)
  if (answer.reply.code !== 354) {
    dialogue.reply(refusalOf(answer.reply, REPLIES.backendTrouble))
    // 2xx here is nonsense, and the backend's state with it.
    if (answer.reply.code < 400) dialogue.dropBackend()
    await dialogue.resetTransaction()
    return 'next'
  }
  dialogue.reply(REPLIES.startMail)
  dialogue.flush()
  return transfer(dialogue, envelope, backend)
}

async function transfer(dialogue: Dialogue, envelope: Envelope, backend: BackendSession): Promise<Next> {
  const { session, connector } = dialogue
  const pump = new DataPump(backend, connector, session.services.wheel, () => dialogue.touch())
  backend.leg.writeText(trace(dialogue, envelope))
  session.record.begin()
  const end = await dialogue.awaitingClient(() => dialogue.conversation.pump(pump, session.signal))
  pump.stop()
  session.record.finish('relay')
  if (end.kind !== 'done') {
    dialogue.dropBackend()
    dialogue.envelope = undefined
    if (dialogue.interrupted !== undefined) return dialogue.interrupted
    return end.kind === 'sink-closed' ? 'server-bug' : endOf(dialogue, end)
  }
  if (pump.fault === undefined) return verdict(dialogue, backend)
  over(dialogue, FAULTS[pump.fault])
  return pump.endless ? 'too-many-errors' : 'next'
}

/**
 * The end of the message goes out, and the backend's word becomes ours. If it dies now nobody knows whether it has taken the
 * message: a sender that tries again makes a duplicate, one that does not loses nothing we promised (RFC 1047). A reply that
 * came before the end may refuse the message, but cannot accept it.
 */
async function verdict(dialogue: Dialogue, backend: BackendSession): Promise<Next> {
  const { settings, session } = dialogue
  const early = backend.leg.buffered > 0
  backend.resumeDialogue()
  if (!early) backend.leg.writeText('.\r\n')
  const answer = await backend.answer(settings.backendVerdict, session.signal)
  if (answer.kind === 'lost' || (early && answer.reply.code < 400)) return over(dialogue, REPLIES.backendTrouble)
  dialogue.envelope = undefined
  if (early || backend.over || is3xx(answer.reply.code)) dialogue.dropBackend()
  else backend.kept = true
  dialogue.reply(passedOn(answer.reply, REPLIES.backendTrouble))
  return 'next'
}

/** The transaction is over without the backend's consent, and so is the backend connection. */
function over(dialogue: Dialogue, reply: Reply): Next {
  dialogue.envelope = undefined
  dialogue.dropBackend()
  dialogue.reply(reply)
  return 'next'
}

function trace(dialogue: Dialogue, envelope: Envelope): string {
  const { session, helo, authenticated } = dialogue
  return receivedField({
    helo: helo?.domain ?? 'unknown',
    client: session.leg.facts.peer,
    hostname: session.services.hostname,
    extended: helo?.kind === 'ehlo',
    encrypted: session.leg.tls !== undefined,
    authenticated: authenticated !== undefined,
    international: envelope.international,
    id: session.id,
    at: session.services.clock.wallNow(),
  })
}

/** An answer that asks for more where there is no more: nobody knows what the backend believes. */
function is3xx(code: number): boolean {
  return code >= 300 && code < 400
}

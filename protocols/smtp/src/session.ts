// SPDX-License-Identifier: MIT
import type { Ended, Session } from '@portico/session'
import { auth } from './commands/auth.js'
import { data } from './commands/data.js'
import { expn } from './commands/expn.js'
import { hello } from './commands/hello.js'
import { help } from './commands/help.js'
import { mail } from './commands/mail.js'
import { noop } from './commands/noop.js'
import { quit } from './commands/quit.js'
import { rcpt } from './commands/rcpt.js'
import { rset } from './commands/rset.js'
import { startTls } from './commands/starttls.js'
import { vrfy } from './commands/vrfy.js'
import { Dialogue, type Next } from './dialogue.js'
import { type Command, parseCommand, type Unparsed } from './parse.js'
import { formatReply, REPLIES, type Reply } from './replies.js'
import { connectorOf, type SmtpSettings } from './schema.js'
import { endOf } from './session-end.js'

/** Runs one SMTP session from its greeting to its last reply (RFC 5321 section 3). */
export async function serveSmtp(session: Session, settings: SmtpSettings): Promise<Ended> {
  const { leg, services, listener } = session
  const connector = connectorOf(settings, listener.options, leg.facts.local.port)
  if (connector === undefined) {
    services.log.error('the listener names a connector that does not exist', { listener: listener.name })
    leg.writeText(formatReply(REPLIES.misconfigured))
    leg.close(services.limits.linger)
    return 'refused'
  }
  const dialogue = new Dialogue(session, settings, connector)
  let ended: Ended = 'server-bug'
  try {
    ended = await run(dialogue)
  } catch (bug) {
    dialogue.reply(REPLIES.misconfigured)
    throw bug
  } finally {
    await dialogue.finish(ended)
  }
  return ended
}

async function run(dialogue: Dialogue): Promise<Ended> {
  const { session, connector } = dialogue
  if (session.draining) return dialogue.dismiss(REPLIES.draining, 'draining')
  dialogue.reply({ code: 220, lines: [`${session.services.hostname} ${connector.banner}`] })
  for (;;) {
    const read = await readCommand(dialogue)
    if (read.kind === 'gone') return read.why
    const next = read.kind === 'refused' ? dialogue.mistake(read.reply) : await obey(dialogue, read.command)
    if (next !== 'next') return next
    if (session.draining && dialogue.envelope === undefined) return dialogue.dismiss(REPLIES.draining, 'draining')
  }
}

type Read =
  | { readonly kind: 'command'; readonly command: Command | Unparsed }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'gone'; readonly why: Ended }

/** The verb is known only when the line is here, so the limit of AUTH holds for reading and the verb's own afterwards. */
async function readCommand(dialogue: Dialogue): Promise<Read> {
  const line = await dialogue.readLine(dialogue.session.services.limits.authLine)
  if (dialogue.interrupted !== undefined) return { kind: 'gone', why: dialogue.interrupted }
  if (line.kind === 'too-long') return { kind: 'refused', reply: REPLIES.lineTooLong }
  if (line.kind !== 'line') return { kind: 'gone', why: endOf(dialogue, line) }
  const command = parseCommand(line.bytes)
  if (line.bareLf && !(command.kind === 'bad' && command.why === 'http'))
    return { kind: 'refused', reply: REPLIES.badLineEnd }
  return { kind: 'command', command }
}

async function obey(dialogue: Dialogue, command: Command | Unparsed): Promise<Next> {
  switch (command.kind) {
    case 'ehlo':
    case 'helo':
      return hello(dialogue, command)
    case 'starttls':
      return startTls(dialogue)
    case 'auth':
      return auth(dialogue, command)
    case 'mail':
      return mail(dialogue, command)
    case 'rcpt':
      return rcpt(dialogue, command)
    case 'data':
      return data(dialogue)
    case 'rset':
      return rset(dialogue)
    case 'noop':
      return noop(dialogue)
    case 'quit':
      return quit(dialogue)
    case 'vrfy':
      return vrfy(dialogue)
    case 'expn':
      return expn(dialogue)
    case 'help':
      return help(dialogue)
    case 'bdat':
      // Its octets would be taken for commands: without CHUNKING nobody may send it (RFC 3030 section 2).
      return dialogue.mistake(REPLIES.notImplemented)
    case 'bad':
      return misunderstood(dialogue, command.why)
  }
}

const MISUNDERSTOOD: Readonly<Record<Exclude<Unparsed['why'], 'http'>, Reply>> = {
  unknown: REPLIES.syntax,
  controls: REPLIES.badLineEnd,
  'too-long': REPLIES.lineTooLong,
  arguments: REPLIES.badArguments,
  sender: REPLIES.badSender,
  recipient: REPLIES.badRecipient,
}

function misunderstood(dialogue: Dialogue, why: Unparsed['why']): Next {
  if (why === 'http') return dialogue.dismiss(REPLIES.notSmtp, 'not-this-protocol')
  return dialogue.mistake(MISUNDERSTOOD[why])
}

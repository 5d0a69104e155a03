// SPDX-License-Identifier: MIT
import type { Ended, Session } from '@portico/session'
import { admitByAgents } from './agents/ask-agents.js'
import { auth } from './commands/auth.js'
import { bdat } from './commands/bdat.js'
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
import { xclient } from './commands/xclient.js'
import { connectorFor } from './connector/choose-connector.js'
import { Dialogue, type Next } from './dialogue.js'
import { type Command, isBdat, parseCommand, type Unparsed } from './parse.js'
import { formatReply, REPLIES, type Reply } from './replies.js'
import type { SmtpSettings } from './schema.js'

/** Runs one SMTP session from its greeting to its last reply (RFC 5321 section 3). */
export async function serveSmtp(session: Session, settings: SmtpSettings): Promise<Ended> {
  const { leg, services } = session
  const connector = connectorFor(session, settings, leg.facts.local.port)
  if (connector === undefined) {
    leg.writeText(formatReply(REPLIES.noConnector))
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
  if (dialogue.session.draining) return 'draining'
  if (dialogue.settings.agents.length > 0) {
    const refused = await admitByAgents(dialogue, true)
    if (refused !== undefined) return refused
  }
  dialogue.greet()
  for (;;) {
    const read = await readCommand(dialogue)
    if (read.kind === 'gone') return dialogue.client.ended
    const next = read.kind === 'refused' ? dialogue.mistake(read.reply) : await obey(dialogue, read.command)
    if (next !== 'next') return next
    await dialogue.holdRefusals(read.kind === 'command' ? read.command.kind : 'bad')
  }
}

type Read =
  | { readonly kind: 'command'; readonly command: Command | Unparsed }
  | { readonly kind: 'refused'; readonly reply: Reply }
  | { readonly kind: 'gone' }

/** Nobody knows what its octets are. */
const UNKNOWN_CHUNK: Read = { kind: 'command', command: { kind: 'bad', why: 'chunk' } }

/** The verb is known only when the line is here, so the limit of AUTH holds for reading and the verb's own afterwards. */
async function readCommand(dialogue: Dialogue): Promise<Read> {
  const line = await dialogue.client.readLine(dialogue.session.services.limits.authLine)
  if (line.kind === 'too-long') return { kind: 'refused', reply: REPLIES.lineTooLong }
  if (line.kind === 'gone') return line
  const command = parseCommand(line.text)
  if (line.bareLf && !(command.kind === 'bad' && command.why === 'http'))
    return isBdat(line.text) ? UNKNOWN_CHUNK : { kind: 'refused', reply: REPLIES.badLineEnd }
  return { kind: 'command', command }
}

async function obey(dialogue: Dialogue, command: Command | Unparsed): Promise<Next> {
  switch (command.kind) {
    case 'ehlo':
    case 'helo':
    case 'lhlo':
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
    case 'xclient':
      return xclient(dialogue, command)
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
      return bdat(dialogue, command)
    case 'bad':
      return misunderstood(dialogue, command.why)
  }
}

const MISUNDERSTOOD: Readonly<Record<Exclude<Unparsed['why'], 'http' | 'chunk'>, Reply>> = {
  unknown: REPLIES.syntax,
  controls: REPLIES.badLineEnd,
  'too-long': REPLIES.lineTooLong,
  arguments: REPLIES.badArguments,
  sender: REPLIES.badSender,
  recipient: REPLIES.badRecipient,
}

function misunderstood(dialogue: Dialogue, why: Unparsed['why']): Next {
  if (why === 'http') return dialogue.dismiss(REPLIES.notSmtp, 'not-this-protocol')
  if (why === 'chunk') return dialogue.dismiss(REPLIES.badChunk, 'refused')
  return dialogue.mistake(MISUNDERSTOOD[why])
}

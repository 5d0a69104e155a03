// SPDX-License-Identifier: MIT
import { BAD, ClientDialogue, type Ended, gone, type Outcome, type Session, serveDialogue } from '@portico/session'
import { apop, timestampFor } from './commands/apop.js'
import { auth } from './commands/auth.js'
import { capa } from './commands/capa.js'
import { lang } from './commands/lang.js'
import { pass } from './commands/pass.js'
import { quit } from './commands/quit.js'
import { stls } from './commands/stls.js'
import { user } from './commands/user.js'
import { utf8 } from './commands/utf8.js'
import { xclient } from './commands/xclient.js'
import type { CommandHandler, Pop3Context } from './context.js'
import { isForeign, parseCommand } from './parse.js'
import { failureLine, goodbye } from './replies.js'
import type { Pop3Settings } from './schema.js'

/** All that can be done before sign-in (RFC 1939 section 4); whatever comes later is the mailbox server's. */
const COMMANDS: ReadonlyMap<string, CommandHandler> = new Map([
  ['APOP', apop],
  ['AUTH', auth],
  ['CAPA', capa],
  ['LANG', lang],
  ['PASS', pass],
  ['QUIT', quit],
  ['STLS', stls],
  ['USER', user],
  ['UTF8', utf8],
  ['XCLIENT', xclient],
])

/** One POP3 session from its greeting to its end. */
export function servePop3(session: Session, settings: Pop3Settings): Promise<Ended> {
  const context: Pop3Context = {
    session,
    settings,
    dialogue: new ClientDialogue(session),
    failures: 0,
    user: undefined,
    timestamp: timestampFor(session),
    wishes: { utf8: false, language: undefined },
  }
  const words = { greeting: () => greeting(context), goodbye, bug: failureLine('server-bug') }
  return serveDialogue(context, words, (first) => serveCommand(context, first))
}

/** It carries the timestamp of APOP where that is offered, and tells the site's proxies that they may speak for their clients. */
function greeting({ session, timestamp }: Pop3Context): string {
  const words = ['+OK', session.isProxy ? '[XCLIENT]' : '', `${session.services.hostname} ready`, timestamp ?? '']
  return `${words.filter(Boolean).join(' ')}\r\n`
}

async function serveCommand(context: Pop3Context, first: boolean): Promise<Outcome> {
  const { session, dialogue } = context
  const { authLine } = session.services.limits
  const line = await (first ? dialogue.readFirstLine(authLine) : dialogue.readLine(authLine))
  if (line.kind === 'gone') return gone(context)
  if (line.kind === 'foreign' || (first && (line.kind === 'too-long' || isForeign(line.text))))
    return { kind: 'ended', ended: 'not-this-protocol' }
  return line.kind === 'too-long' ? tooLong(context) : act(context, line.text)
}

function tooLong(context: Pop3Context): Outcome {
  context.dialogue.write(failureLine('too-long'))
  return BAD
}

async function act(context: Pop3Context, line: string): Promise<Outcome> {
  const command = parseCommand(line)
  const { limits } = context.session.services
  if (line.length > limits.line && command?.name !== 'AUTH') return tooLong(context)
  const handler = command === undefined ? undefined : COMMANDS.get(command.name)
  if (command !== undefined && handler !== undefined) return handler(context, command)
  context.dialogue.write(failureLine(command === undefined ? 'malformed' : 'not-authenticated'))
  return BAD
}

// SPDX-License-Identifier: MIT
import { BAD, ClientDialogue, type Ended, type Outcome, type Session } from '@portico/session'
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
export async function servePop3(session: Session, settings: Pop3Settings): Promise<Ended> {
  const dialogue = new ClientDialogue(session)
  const context: Pop3Context = {
    session,
    settings,
    dialogue,
    failures: 0,
    user: undefined,
    timestamp: timestampFor(session),
    wishes: { utf8: false, language: undefined },
  }
  try {
    dialogue.write(greeting(context))
    const ended = await commands(context)
    if (!dialogue.isSignedIn) dialogue.write(goodbye(ended))
    return ended
  } catch (bug) {
    if (!dialogue.isSignedIn) dialogue.write(failureLine('server-bug'))
    throw bug
  } finally {
    await dialogue.close()
  }
}

/** It carries the timestamp of APOP where that is offered, and tells the site's proxies that they may speak for their clients. */
function greeting({ session, timestamp }: Pop3Context): string {
  const words = ['+OK', session.isProxy ? '[XCLIENT]' : '', `${session.services.hostname} ready`, timestamp ?? '']
  return `${words.filter(Boolean).join(' ')}\r\n`
}

async function commands(context: Pop3Context): Promise<Ended> {
  const { session, dialogue } = context
  const { limits } = session.services
  let errors = 0
  for (let first = true; ; first = false) {
    const line = await (first ? dialogue.readFirstLine(limits.authLine) : dialogue.readLine(limits.authLine))
    if (line.kind === 'gone') return dialogue.ended
    if (line.kind === 'foreign' || (first && (line.kind === 'too-long' || isForeign(line.text))))
      return 'not-this-protocol'
    const outcome = line.kind === 'too-long' ? tooLong(context) : await act(context, line.text)
    if (outcome.kind === 'ended') return outcome.ended
    if (outcome.kind === 'bad') errors += 1
    if (errors >= limits.badCommands) return 'too-many-errors'
  }
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

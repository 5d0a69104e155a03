// SPDX-License-Identifier: MIT
import { ClientDialogue, type Ended, type Session } from '@portico/session'
import { auth } from './commands/auth.js'
import { capa } from './commands/capa.js'
import { pass } from './commands/pass.js'
import { quit } from './commands/quit.js'
import { stls } from './commands/stls.js'
import { user } from './commands/user.js'
import { BAD, type CommandHandler, type Outcome, type Pop3Context } from './context.js'
import { isForeign, parseCommand } from './parse.js'
import { failureLine, goodbye } from './replies.js'
import type { Pop3Settings } from './schema.js'

/** All that can be done before sign-in (RFC 1939 section 4); whatever comes later is the mailbox server's. */
const COMMANDS: ReadonlyMap<string, CommandHandler> = new Map([
  ['AUTH', auth],
  ['CAPA', capa],
  ['PASS', pass],
  ['QUIT', quit],
  ['STLS', stls],
  ['USER', user],
])

/** One POP3 session from its greeting to its end. */
export async function servePop3(session: Session, settings: Pop3Settings): Promise<Ended> {
  const dialogue = new ClientDialogue(session)
  const context: Pop3Context = { session, settings, dialogue, failures: 0, user: undefined }
  try {
    dialogue.write(`+OK ${session.services.hostname} ready\r\n`)
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

async function commands(context: Pop3Context): Promise<Ended> {
  const { session, dialogue } = context
  const { limits } = session.services
  let errors = 0
  for (let first = true; ; first = false) {
    const line = await dialogue.readLine(limits.authLine)
    if (line.kind === 'gone') return dialogue.ended
    if (first && (line.kind === 'too-long' || isForeign(line.text))) return 'not-this-protocol'
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

// SPDX-License-Identifier: MIT
import { ClientDialogue, type Ended, type Session } from '@portico/session'
import { capabilities, passwordRefusal } from './capabilities.js'
import { authenticate } from './commands/authenticate.js'
import { capability } from './commands/capability.js'
import { id } from './commands/id.js'
import { login } from './commands/login.js'
import { logout } from './commands/logout.js'
import { noop } from './commands/noop.js'
import { starttls } from './commands/starttls.js'
import { BAD, type CommandHandler, type ImapContext, type Outcome } from './context.js'
import type { ImapCommand } from './parse.js'
import { type CommandRead, readCommand } from './read-command.js'
import { failureLine, goodbye } from './replies.js'
import type { Imap4Settings } from './schema.js'
import { answerFailure } from './sign-in.js'

/** All that can be done before sign-in (RFC 9051 sections 6.1 and 6.2); whatever comes later is the mailbox server's. */
const COMMANDS: ReadonlyMap<string, CommandHandler> = new Map([
  ['AUTHENTICATE', authenticate],
  ['CAPABILITY', capability],
  ['ID', id],
  ['LOGIN', login],
  ['LOGOUT', logout],
  ['NOOP', noop],
  ['STARTTLS', starttls],
])

/** One IMAP4 session from its greeting to its end. */
export async function serveImap4(session: Session, settings: Imap4Settings): Promise<Ended> {
  const dialogue = new ClientDialogue(session)
  const context: ImapContext = { session, settings, dialogue, failures: 0 }
  try {
    dialogue.write(`* OK [CAPABILITY ${capabilities(context)}] ${session.services.hostname} ready\r\n`)
    const ended = await commands(context)
    if (!dialogue.isSignedIn) dialogue.write(goodbye(ended))
    return ended
  } catch (bug) {
    if (!dialogue.isSignedIn) dialogue.write(goodbye('server-bug'))
    throw bug
  } finally {
    await dialogue.close()
  }
}

async function commands(context: ImapContext): Promise<Ended> {
  const { session, dialogue } = context
  const { limits } = session.services
  let errors = 0
  for (let first = true; ; first = false) {
    const { line, authLine } = limits
    const rules = { line, authLine, passwordRefusal: () => passwordRefusal(context), first }
    const read = await readCommand(dialogue, rules)
    const outcome = await act(context, read)
    if (outcome.kind === 'ended') return outcome.ended
    if (outcome.kind === 'bad') errors += 1
    if (errors >= limits.badCommands) return 'too-many-errors'
  }
}

async function act(context: ImapContext, read: CommandRead): Promise<Outcome> {
  const { dialogue } = context
  switch (read.kind) {
    case 'gone':
      return { kind: 'ended', ended: dialogue.ended }
    case 'foreign':
      return { kind: 'ended', ended: 'not-this-protocol' }
    case 'flood':
      dialogue.write(failureLine(read.tag, 'too-long'))
      return { kind: 'ended', ended: 'too-many-errors' }
    case 'refused':
      return answerFailure(context, read.tag, read.reason)
    case 'command':
      return dispatch(context, read.command)
  }
}

async function dispatch(context: ImapContext, command: ImapCommand): Promise<Outcome> {
  const { dialogue } = context
  const handler = COMMANDS.get(command.name)
  if (handler === undefined) {
    dialogue.write(failureLine(command.tag, 'not-authenticated'))
    return BAD
  }
  try {
    return await handler(context, command)
  } catch (bug) {
    if (!dialogue.isSignedIn) dialogue.write(failureLine(command.tag, 'server-bug'))
    throw bug
  }
}

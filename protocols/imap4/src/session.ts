// SPDX-License-Identifier: MIT
import {
  BAD,
  ClientDialogue,
  type Ended,
  gone,
  type Outcome,
  passwordRefusal,
  type Session,
  serveDialogue,
} from '@portico/session'
import { capabilities } from './capabilities.js'
import { authenticate } from './commands/authenticate.js'
import { capability } from './commands/capability.js'
import { id } from './commands/id.js'
import { login } from './commands/login.js'
import { logout } from './commands/logout.js'
import { noop } from './commands/noop.js'
import { starttls } from './commands/starttls.js'
import type { CommandHandler, ImapContext } from './context.js'
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
export function serveImap4(session: Session, settings: Imap4Settings): Promise<Ended> {
  const dialogue = new ClientDialogue(session)
  const context: ImapContext = { session, settings, dialogue, failures: 0, clientId: new Map() }
  const { hostname, limits } = session.services
  const greeting = () => `* OK [CAPABILITY ${capabilities(context)}] ${hostname} ready\r\n`
  return serveDialogue(context, { greeting, goodbye, bug: goodbye('server-bug') }, async (first) => {
    const rules = {
      line: limits.line,
      authLine: limits.authLine,
      passwordRefusal: () => passwordRefusal(context),
      first,
    }
    return act(context, await readCommand(dialogue, rules))
  })
}

async function act(context: ImapContext, read: CommandRead): Promise<Outcome> {
  const { dialogue } = context
  switch (read.kind) {
    case 'gone':
      return gone(context)
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

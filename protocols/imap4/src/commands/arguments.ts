// SPDX-License-Identifier: MIT
import { BAD, type Outcome } from '@portico/session'
import type { CommandHandler, ImapContext } from '../context.js'
import { failureLine } from '../replies.js'

/** A command that takes no arguments: anything behind its name is BAD. */
export function withoutArguments(handler: CommandHandler): CommandHandler {
  return (context, command) => (command.args.length === 0 ? handler(context, command) : malformed(context, command.tag))
}

/** Answers BAD for arguments that the command does not take. */
export function malformed(context: ImapContext, tag: string): Outcome {
  context.dialogue.write(failureLine(tag, 'malformed'))
  return BAD
}

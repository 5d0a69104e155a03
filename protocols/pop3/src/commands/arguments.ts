// SPDX-License-Identifier: MIT
import { BAD, type Outcome } from '@portico/session'
import type { CommandHandler, Pop3Context } from '../context.js'
import { failureLine } from '../replies.js'

/** A command that takes no arguments: anything behind its name is an error. */
export function withoutArguments(handler: CommandHandler): CommandHandler {
  return (context, command) => (command.rest === undefined ? handler(context, command) : malformed(context))
}

/** Answers -ERR for arguments that the command does not take. */
export function malformed(context: Pop3Context): Outcome {
  context.dialogue.write(failureLine('malformed'))
  return BAD
}

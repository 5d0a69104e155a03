// SPDX-License-Identifier: MIT
import { DONE, passwordRefusal } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { textOf } from '../parse.js'
import { answerFailure } from '../sign-in.js'
import { malformed } from './arguments.js'

/** USER (RFC 1939 section 7): kept until PASS. It tells nothing about whether the user exists. */
export const user: CommandHandler = (context, { rest }) => {
  context.user = undefined
  const refusal = passwordRefusal(context)
  if (refusal !== undefined) return answerFailure(context, refusal)
  const name = rest === undefined ? undefined : textOf(rest)
  if (name === undefined || name === '') return malformed(context)
  context.user = name
  context.dialogue.write('+OK Password please\r\n')
  return DONE
}

// SPDX-License-Identifier: MIT
import { BAD, showPassword } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { textOf } from '../parse.js'
import { signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** PASS (RFC 1939 section 7): everything behind its one space is the password, spaces too. Only right after USER. */
export const pass: CommandHandler = async (context, { rest }) => {
  const { dialogue, user } = context
  context.user = undefined
  if (user === undefined) {
    dialogue.write('-ERR USER first\r\n')
    return BAD
  }
  const password = rest === undefined ? undefined : textOf(rest)
  if (password === undefined) return malformed(context)
  return signIn(context, await showPassword(context, { user, password }))
}

// SPDX-License-Identifier: MIT
import { passwordRefusal, showPassword } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { textOf } from '../parse.js'
import { answerFailure, signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** LOGIN (RFC 9051 section 6.2.3). Where passwords may not be shown the credentials are not looked at. */
export const login: CommandHandler = async (context, { tag, args }) => {
  const refusal = passwordRefusal(context)
  if (refusal !== undefined) return answerFailure(context, tag, refusal)
  const [user, password] = [textOf(args[0]), textOf(args[1])]
  if (args.length !== 2 || user === undefined || password === undefined) return malformed(context, tag)
  return signIn(context, tag, await showPassword(context, { user, password }))
}

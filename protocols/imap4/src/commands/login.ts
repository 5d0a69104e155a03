// SPDX-License-Identifier: MIT
import { authContextOf } from '@portico/session'
import { passwordRefusal } from '../capabilities.js'
import type { CommandHandler } from '../context.js'
import { textOf } from '../parse.js'
import { answerFailure, signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** LOGIN (RFC 9051 section 6.2.3). Where passwords may not be shown the credentials are not looked at. */
export const login: CommandHandler = async (context, { tag, args }) => {
  const { session } = context
  const { authenticator } = session.services
  const refusal = passwordRefusal(context)
  if (refusal !== undefined) return answerFailure(context, tag, refusal)
  const [user, password] = [textOf(args[0]), textOf(args[1])]
  if (args.length !== 2 || user === undefined || password === undefined) return malformed(context, tag)
  session.record.begin()
  const outcome = await authenticator.login(
    { mechanism: 'LOGIN command', user, password },
    authContextOf(session, context.failures),
    session.signal,
  )
  session.record.finish('authenticate')
  return signIn(context, tag, outcome)
}

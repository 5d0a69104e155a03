// SPDX-License-Identifier: MIT
import { authContextOf, authenticateSasl } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { parseAuth } from '../parse.js'
import { signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** AUTH, with or without an initial response. Without a mechanism it is no command: CAPA lists them (RFC 5034 sections 4 and 5). */
export const auth: CommandHandler = async (context, { rest }) => {
  const { session, dialogue, failures } = context
  context.user = undefined
  const parsed = rest === undefined ? undefined : parseAuth(rest)
  if (parsed === undefined) return malformed(context)
  const outcome = await authenticateSasl(
    session,
    parsed.mechanism,
    parsed.initial,
    {
      challenge: (base64) => dialogue.write(`+ ${base64}\r\n`),
      response: () => dialogue.readLine(session.services.limits.authLine),
    },
    authContextOf(session, failures),
  )
  return signIn(context, outcome)
}

// SPDX-License-Identifier: MIT
import { authContextOf, authenticateSasl } from '@portico/session'
import { type CommandHandler, DONE } from '../context.js'
import { parseAuth } from '../parse.js'
import { signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** AUTH, with or without an initial response (RFC 5034 section 4). Alone it lists the mechanisms, as clients older than that expect. */
export const auth: CommandHandler = async (context, { rest }) => {
  const { session, dialogue, failures } = context
  context.user = undefined
  const authContext = authContextOf(session, failures)
  if (rest === undefined) {
    const lines = ['+OK Mechanisms follow', ...session.services.authenticator.mechanisms(authContext), '.']
    dialogue.write(`${lines.join('\r\n')}\r\n`)
    return DONE
  }
  const parsed = parseAuth(rest)
  if (parsed === undefined) return malformed(context)
  const outcome = await authenticateSasl(
    session,
    parsed.mechanism,
    parsed.initial,
    {
      challenge: (base64) => dialogue.write(`+ ${base64}\r\n`),
      response: () => dialogue.readLine(session.services.limits.authLine),
    },
    authContext,
  )
  return signIn(context, outcome)
}

// SPDX-License-Identifier: MIT
import { authContextOf, authenticateSasl } from '@portico/session'
import type { CommandHandler } from '../context.js'
import type { Value } from '../parse.js'
import { signIn } from '../sign-in.js'
import { malformed } from './arguments.js'

/** AUTHENTICATE, with or without an initial response (RFC 9051 section 6.2.2, RFC 4959 section 3). */
export const authenticate: CommandHandler = async (context, { tag, args }) => {
  const { session, dialogue, failures } = context
  const mechanism = atomOf(args[0])
  const initial = atomOf(args[1])
  if (mechanism === undefined || args.length > 2 || (args.length === 2 && initial === undefined))
    return malformed(context, tag)
  const outcome = await authenticateSasl(
    session,
    mechanism.toUpperCase(),
    initial,
    {
      challenge: (base64) => dialogue.write(`+ ${base64}\r\n`),
      response: () => dialogue.readLine(session.services.limits.authLine),
    },
    authContextOf(session, failures),
  )
  return signIn(context, tag, outcome)
}

function atomOf(value: Value | undefined): string | undefined {
  return value?.kind === 'atom' ? value.octets : undefined
}

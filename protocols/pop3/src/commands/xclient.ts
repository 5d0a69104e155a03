// SPDX-License-Identifier: MIT
import { BAD, DONE, takeForwarded } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { parsePairs } from '../parse.js'
import { malformed } from './arguments.js'

/** XCLIENT, as Dovecot has it: one of the site's proxies says who its client is. */
export const xclient: CommandHandler = (context, { rest }) => {
  const { session, dialogue } = context
  if (!session.isProxy) {
    dialogue.write('-ERR You are none of our proxies\r\n')
    return BAD
  }
  const pairs = rest === undefined ? undefined : parsePairs(rest)
  const taken =
    pairs !== undefined &&
    takeForwarded(session, {
      address: pairs.get('ADDR'),
      port: pairs.get('PORT'),
      ttl: pairs.get('TTL'),
      sessionId: pairs.get('SESSION'),
    })
  if (!taken) return malformed(context)
  dialogue.write('+OK Updated\r\n')
  return DONE
}

// SPDX-License-Identifier: MIT
import { DONE } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { answerFailure } from '../sign-in.js'
import { withoutArguments } from './arguments.js'

/** UTF8 (RFC 6856 section 2): the mailbox server is asked for it before the sign-in. Only where the site says that all of them have it. */
export const utf8: CommandHandler = withoutArguments((context) => {
  if (context.settings.utf8 === 'no') return answerFailure(context, 'not-authenticated')
  context.wishes.utf8 = true
  context.dialogue.write('+OK UTF-8 it will be\r\n')
  return DONE
})

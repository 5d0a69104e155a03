// SPDX-License-Identifier: MIT
import { BAD, DONE } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { answerFailure } from '../sign-in.js'

/**
 * LANG (RFC 6856 section 3): alone it lists languages, else it chooses one, `*` the server's own. The mailbox server is asked for it
 * before the sign-in; what is said until then is in English.
 */
export const lang: CommandHandler = (context, { rest }) => {
  const { dialogue, settings, wishes } = context
  if (settings.languages.length === 0) return answerFailure(context, 'not-authenticated')
  if (rest === undefined) {
    const names = settings.languages.map((line) => Buffer.from(line, 'utf8').toString('latin1'))
    dialogue.write(['+OK Languages follow', ...names, '.', ''].join('\r\n'))
    return DONE
  }
  const tags = ['*', ...settings.languages.map((line) => line.split(' ', 1)[0] ?? '')]
  const tag = tags.find((known) => known.toLowerCase() === rest.toLowerCase())
  if (tag === undefined) {
    dialogue.write('-ERR That language is not available\r\n')
    return BAD
  }
  wishes.language = tag
  dialogue.write(`+OK ${tag === '*' ? 'en' : tag} Chosen\r\n`)
  return DONE
}

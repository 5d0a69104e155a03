// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, MARK } from './letters.mjs'

const FIRST_FIELD = new RegExp(`^${MARK}: (\\d+)/(\\d+)\\r?$`, 'm')

/** Everything in the mailboxes of a Dovecot: `{ letter, attempt, user, hash, queueId }`. */
export function* copiesIn(folder, users) {
  for (const user of users)
    for (const part of ['new', 'cur']) {
      const place = join(folder, 'mail', user, 'Maildir', part)
      for (const name of namesIn(place)) yield { user, ...copyOf(readFileSync(join(place, name), 'latin1')) }
    }
}

/** A mailbox keeps lines as its system has them. What stands before the first field was put there on the way. */
export function copyOf(stored) {
  const text = stored.replace(/\r?\n/g, '\r\n')
  const [mark, letter, attempt] = FIRST_FIELD.exec(text) ?? []
  const at = mark === undefined ? 0 : text.indexOf(mark)
  return {
    letter: Number(letter),
    attempt: Number(attempt),
    hash: hashOf(Buffer.from(text.slice(at), 'latin1')),
    queueId: /\(Postfix\)[^;]*?\sid (\w+)/.exec(text.slice(0, at))?.[1],
  }
}

function namesIn(place) {
  try {
    return readdirSync(place)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

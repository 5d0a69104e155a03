// SPDX-License-Identifier: MIT
// What became of the letters: pure, over the notes of the sender and the contents of the mailboxes.

/** A reply that was on its way when somebody was killed may have been held up so long by a busy machine. */
const NEAR_MS = 1_500

/**
 * @param attempts records of attempt.mjs
 * @param copies   what lies in mailboxes: `{ letter, attempt, user, hash, queueId }`; `queueId`: of the MTA between, if there was one
 * @param kills    `{ at, victim }`, times of the same clock as the attempts'
 * @param hashOf   `(letter, attempt) => hash` of what was sent
 * @param wanted   `(letter) => users` who must have it
 * @returns `failures` as text, `duplicates` as text with what explains each, and the counts
 */
export function judge({ attempts, copies, kills, hashOf, wanted, isMta }) {
  const failures = []
  const duplicates = []
  const sent = new Map(attempts.map((record) => [`${record.letter}/${record.number}`, record]))
  const found = new Map()
  for (const copy of copies) {
    const key = `${copy.letter}/${copy.attempt} to ${copy.user}`
    found.set(key, [...(found.get(key) ?? []), copy])
  }
  const counts = { taken: 0, found: 0, lost: 0, damaged: 0, uncalled: 0, unfinished: 0, unexplained: 0 }
  const fail = (kind, text) => {
    counts[kind] += 1
    failures.push(`${kind}: ${text}`)
  }
  judgePromises()
  for (const [key, list] of found) judgeCopies(key, list)
  return { failures, duplicates, counts }

  /** Whoever got 250 for a recipient is owed a copy of that very attempt. */
  function judgePromises() {
    const having = new Map()
    for (const record of attempts) {
      if (record.code !== 250) continue
      for (const user of record.recipients) {
        counts.taken += 1
        having.set(record.letter, (having.get(record.letter) ?? new Set()).add(user))
        if (found.has(`${record.letter}/${record.number} to ${user}`)) counts.found += 1
        else fail('lost', `letter ${record.letter}, attempt ${record.number}, to ${user}: ${record.text}`)
      }
    }
    for (const letter of new Set(attempts.map((record) => record.letter)))
      for (const user of wanted(letter))
        if (!having.get(letter)?.has(user))
          fail('unfinished', `letter ${letter} to ${user}: ${lastWords(letter, user)}`)
  }

  function lastWords(letter, user) {
    const last = attempts.filter((record) => record.letter === letter).at(-1)
    return last.refused.get(user)?.text ?? last.text ?? 'no reply'
  }

  function judgeCopies(key, list) {
    const [{ letter, attempt, user }] = list
    const record = sent.get(`${letter}/${attempt}`)
    if (record === undefined || !wanted(letter).includes(user)) return fail('uncalled', `${key}: nobody sent it`)
    const expected = hashOf(letter, attempt)
    for (const { hash } of list) if (hash !== expected) fail('damaged', key)
    if (record.endAt === undefined) return fail('uncalled', `${key}: it was cut before its end`)
    if (!record.recipients.includes(user)) return fail('uncalled', `${key}: the recipient was refused`)
    if (record.code !== 250) judgeUnanswered(key, record)
    if (list.length > 1) judgeRepeated(key, list)
  }

  /** It arrived, and its sender does not know: one more copy than promised, as the sender has to try again (RFC 1047). */
  function judgeUnanswered(key, record) {
    const what = record.code === undefined ? 'no reply came after its end' : `after its end came ${record.text}`
    const kill = kills.find(({ at }) => at > record.endAt - NEAR_MS && at < record.overAt + NEAR_MS)
    if (kill === undefined) fail('unexplained', `${key}: ${what}, and nobody was killed then`)
    else if (record.code >= 500) fail('unexplained', `${key}: ${what}`)
    else
      duplicates.push({
        kind: record.code === undefined ? 'no-reply' : 'reply-lost-behind',
        text: `${key}: ${what}; ${kill.victim} was killed`,
      })
  }

  /** The same attempt twice: only an MTA behind the front end may have repeated itself towards the mailbox, with what it queued once. */
  function judgeRepeated(key, list) {
    const ids = new Set(list.map(({ queueId }) => queueId))
    const mtaKilled = kills.some(({ victim }) => isMta(victim))
    if (ids.size === 1 && !ids.has(undefined) && mtaKilled)
      duplicates.push({ kind: 'behind-the-mta', text: `${key}: ${list.length} times from queue file ${[...ids][0]}` })
    else fail('unexplained', `${key}: ${list.length} times, ${[...ids].join(' ')}`)
  }
}

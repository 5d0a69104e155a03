// SPDX-License-Identifier: MIT
import type { Account } from './mail-store.js'
import { letter, newsletter, withAttachments } from './seed-mails.js'

/** Fills an account with the same mail every time: a thread, attachments, an HTML mail, subjects in several scripts. */
export function seedMail(account: Account, others: readonly string[], domain: string): void {
  const me = `${account.name}@${domain}`
  const friend = `${others[0] ?? 'postmaster'}@${domain}`
  const put = (folder: string, raw: Buffer, flags: readonly string[], date: Date) =>
    account.folder(folder)?.append(raw, flags, date)
  const day = (number: number, hour: number) => new Date(Date.UTC(2026, 8, number, hour, 30))
  const id = (name: string) => `<${name}.${account.name}@${domain}>`

  put(
    'Archive/2026',
    letter({ from: friend, to: me, subject: 'Lease of the workshop', date: day(2, 8), id: id('lease') }, [
      'The landlord agreed to two more years.',
      'I put the signed copy into the safe.',
    ]),
    ['\\Seen'],
    day(2, 8),
  )
  const question = { from: me, to: friend, subject: 'Menu for Saturday?', date: day(7, 9), id: id('menu') }
  put('Sent', letter(question, ['Soup or salad first? I would say soup.', '', account.name]), ['\\Seen'], day(7, 9))
  const answer = {
    from: friend,
    to: me,
    subject: 'Re: Menu for Saturday?',
    date: day(7, 11),
    id: id('menu-answer'),
    inReplyTo: id('menu'),
  }
  put('INBOX', letter(answer, ['> Soup or salad first?', '', 'Soup, and Jiří brings bread.']), ['\\Seen'], day(7, 11))
  put(
    'INBOX',
    withAttachments({ from: friend, to: me, subject: 'Plans and photo', date: day(9, 14), id: id('plans') }),
    ['\\Flagged'],
    day(9, 14),
  )
  put(
    'INBOX',
    newsletter({
      from: `news@${domain}`,
      to: me,
      subject: 'September at the harbour',
      date: day(12, 6),
      id: id('news'),
    }),
    [],
    day(12, 6),
  )
  put(
    'INBOX',
    letter({ from: friend, to: me, subject: 'Grüße aus Zürich – こんにちは', date: day(15, 17), id: id('greetings') }, [
      'Schöne Grüße vom See!',
      '湖からこんにちは。',
    ]),
    [],
    day(15, 17),
  )
  put(
    'Drafts',
    letter({ from: me, to: friend, subject: 'Half a thought', date: day(16, 10), id: id('draft') }, ['What if we']),
    ['\\Draft', '\\Seen'],
    day(16, 10),
  )
  put(
    'Trash',
    letter({ from: `offers@${domain}`, to: me, subject: 'Only today', date: day(17, 5), id: id('offer') }, ['Buy!']),
    ['\\Seen'],
    day(17, 5),
  )
}

// SPDX-License-Identifier: MIT
import { type DemoListener, type DemoUser, DOMAIN, FILES } from './configuration.js'

export interface Sheet {
  /** Where the files of the demo are. */
  readonly folder: string
  readonly listeners: readonly DemoListener[]
  readonly users: readonly DemoUser[]
  /** Says which ports are not the usual ones. */
  readonly moved: readonly string[]
  /** So many mails wait for the second user. */
  readonly waiting: number
}

/** What the newcomer reads: where it listens, who can sign in, and lines to paste. */
export function sheetText(sheet: Sheet): string {
  const { folder, listeners, users, moved } = sheet
  const rows = listeners.map(
    ({ service, port, tls }) => `  ${service.padEnd(14)}localhost:${String(port).padEnd(8)}${tls}`,
  )
  const people = users.map(
    ({ name, password, group }) => `  ${name.padEnd(14)}${password.padEnd(18)}mailbox on the ${group} server`,
  )
  const [alice, bob] = users
  if (alice === undefined || bob === undefined) throw new Error('the demo has two users')
  return `
Portico is listening:
${rows.join('\n')}
${moved.map((line) => `  ${line}\n`).join('')}
Who can sign in (name, password):
${people.join('\n')}

Both use the same ports; each reaches the server that has the mailbox. Lines to paste:
${pasteLines(sheet, alice, bob)}
Configuration, certificates and log are in ${folder}; Ctrl-C stops all and removes it.
`
}

function pasteLines({ folder, listeners, waiting }: Sheet, alice: DemoUser, bob: DemoUser): string {
  const port = (service: string) => listeners.find((listener) => listener.service === service)?.port ?? 0
  const curl = `curl -sS --cacert ${folder}/${FILES.ca}`
  const as = (user: DemoUser) => `-u ${user.name}:${user.password}`
  const toBob = (from: string) => `--mail-from ${from} --mail-rcpt ${bob.name}@${DOMAIN} -T -`
  const mail = (subject: string, text: string) => `printf 'Subject: ${subject}\\r\\n\\r\\n${text}\\r\\n'`
  return `
  # ${alice.name}'s folders, and the subject of ${alice.name}'s first mail
  ${curl} ${as(alice)} imaps://localhost:${port('imaps')}/
  ${curl} ${as(alice)} "imaps://localhost:${port('imaps')}/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)"

  # ${bob.name}'s mail by POP3
  ${curl} ${as(bob)} pop3s://localhost:${port('pop3s')}/

  # ${alice.name} writes to ${bob.name}, and ${bob.name} reads it, by IMAP4 and by POP3
  ${mail('Hello', `From ${alice.name}, through the front door.`)} | ${curl} ${as(alice)} ${toBob(`${alice.name}@${DOMAIN}`)} smtps://localhost:${port('submissions')}
  ${curl} ${as(bob)} "imaps://localhost:${port('imaps')}/INBOX;UID=*"
  ${curl} ${as(bob)} pop3s://localhost:${port('pop3s')}/${waiting + 1}

  # somebody from outside writes to ${bob.name}: nobody signs in, and the recipient says which server gets it
  ${mail('From afar', 'Straight to the right server.')} | ${curl} --ssl-reqd ${toBob('carol@elsewhere.test')} smtp://localhost:${port('smtp')}
  ${curl} ${as(bob)} "imaps://localhost:${port('imaps')}/INBOX;UID=*"

  # the web mailbox, with a sign-in page in a browser: https://localhost:${port('https')}/ (past the warning about the demo's own authority)
  ${curl} ${as(bob)} https://localhost:${port('https')}/
`
}

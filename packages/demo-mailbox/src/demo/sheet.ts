// SPDX-License-Identifier: MIT
import { type DemoListener, type DemoUser, FILES } from './configuration.js'

/** What the newcomer reads: where it listens, who can sign in, and lines to paste. */
export function sheetText(
  folder: string,
  listeners: readonly DemoListener[],
  users: readonly DemoUser[],
  moved: readonly string[],
): string {
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
${pasteLines(folder, listeners, alice, bob)}
Configuration, certificates and log are in ${folder}; Ctrl-C stops all and removes it.
`
}

function pasteLines(folder: string, listeners: readonly DemoListener[], alice: DemoUser, bob: DemoUser): string {
  const port = (service: string) => listeners.find((listener) => listener.service === service)?.port ?? 0
  const curl = `curl -sS --cacert ${folder}/${FILES.ca}`
  const as = (user: DemoUser) => `-u ${user.name}:${user.password}`
  const from = `--mail-from ${alice.name}@example.test --mail-rcpt ${bob.name}@example.test`
  const text = `Subject: Hello\\r\\n\\r\\nFrom ${alice.name}, through the front door.\\r\\n`
  return `
  # ${alice.name}'s folders, and the subject of ${alice.name}'s first mail
  ${curl} ${as(alice)} imaps://localhost:${port('imaps')}/
  ${curl} ${as(alice)} "imaps://localhost:${port('imaps')}/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)"

  # ${bob.name}'s mail by POP3
  ${curl} ${as(bob)} pop3s://localhost:${port('pop3s')}/

  # ${alice.name} writes to ${bob.name}, and ${bob.name} reads it
  printf '${text}' | ${curl} ${as(alice)} ${from} -T - smtps://localhost:${port('submissions')}
  ${curl} ${as(bob)} "imaps://localhost:${port('imaps')}/INBOX;UID=*"

  # the web page (in a browser: https://localhost:${port('https')}/, past the warning about the demo's own authority)
  ${curl} ${as(bob)} https://localhost:${port('https')}/
`
}

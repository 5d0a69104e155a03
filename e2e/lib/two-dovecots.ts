// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dovecot, startDovecot, testCertificates } from '@portico/testkit'

/** alice lives on the first, which gets her own password; bob on the second, which a master user opens. */
export interface TwoDovecots extends AsyncDisposable {
  readonly first: Dovecot
  readonly second: Dovecot
}

export const USERS = ['alice:{PLAIN}alicepw::::::group=mbx1', 'bob:{PLAIN}bobpw::::::group=mbx2']

const MAIL_TO_ALICE = 'From: carol@test.lan\r\nTo: alice@test.lan\r\nSubject: for alice\r\n\r\nlunch?\r\n'
const MAIL_TO_BOB = 'From: carol@test.lan\r\nTo: bob@test.lan\r\nSubject: for bob\r\n\r\ndinner?\r\n'

export async function startTwoDovecots(): Promise<TwoDovecots> {
  const [first, second] = await Promise.all([
    startDovecot({ name: 'mbx1', users: { alice: 'alicepw' } }),
    startDovecot({
      name: 'mbx2',
      users: { bob: 'not the one the front door knows' },
      masters: { portico: 'masterpw' },
    }),
  ])
  first.deliver('alice', MAIL_TO_ALICE)
  second.deliver('bob', MAIL_TO_BOB)
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.stop(), second.stop()])
    },
  }
}

/** The `backends` block for mail protocols: STARTTLS to the first, TLS from the first octet to the second. */
export function backendsOf(dovecots: TwoDovecots, ...protocols: readonly ('imap4' | 'pop3')[]): unknown {
  const { first, second } = dovecots
  const secret = join(second.folder, 'master-secret')
  writeFileSync(secret, 'masterpw\n', { mode: 0o600 })
  const plain = { imap4: first.ports.imap, pop3: first.ports.pop3 }
  const secure = { imap4: second.ports.imaps, pop3: second.ports.pop3s }
  const legs = (mode: string, ports: Readonly<Record<'imap4' | 'pop3', number>>): Readonly<Record<string, unknown>> => {
    const tls = { mode, ca: testCertificates().ca.certificateFile, servername: 'localhost' }
    return Object.fromEntries(protocols.map((name) => [name, { endpoints: [`127.0.0.1:${ports[name]}`], tls }]))
  }
  return {
    mbx1: { identity: 'password', ...legs('starttls', plain) },
    mbx2: { identity: { master: { user: 'portico', secret: { file: secret } } }, ...legs('implicit', secure) },
  }
}

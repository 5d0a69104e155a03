// SPDX-License-Identifier: MIT
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { startThunderbird, type Thunderbird } from '../lib/thunderbird.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

/** Without a window, told what to do over its remote control; both accounts are set up in one profile. */
scenario(
  'Thunderbird in front of two Dovecots',
  { programs: ['dovecot', 'thunderbird', 'openssl'], root: true },
  () => {
    let dovecots: TwoDovecots
    let portico: Portico<'imap' | 'imaps'>
    let thunderbird: Thunderbird

    beforeAll(async () => {
      dovecots = await startTwoDovecots()
      portico = await startPortico({
        listeners: { imap: { protocol: 'imap4', tls: 'starttls' }, imaps: { protocol: 'imap4', tls: 'implicit' } },
        users: USERS,
        backends: backendsOf(dovecots, 'imap4'),
      })
      thunderbird = await startThunderbird(settings(portico.ports))
    })
    afterAll(async () => {
      await thunderbird?.stop()
      await portico?.stop()
      await dovecots?.[Symbol.asyncDispose]()
    })

    test.each([
      ['alice', 'STARTTLS'],
      ['bob', 'TLS from the first octet, master user'],
    ])('%s (%s) sees the folders, reads the own message and copies it', async (user) => {
      const seen = await thunderbird.read(user, `${user}pw`)
      expect(seen.folders).toEqual(expect.arrayContaining(['INBOX', 'Sent']))
      expect(seen.subjects).toEqual([`for ${user}`])
      expect(seen.text).toContain(user === 'alice' ? 'lunch?' : 'dinner?')
      const dovecot = user === 'alice' ? dovecots.first : dovecots.second
      const copies = await dovecot.mailOf(user, 1, undefined, 'Sent')
      expect(copies.join()).toContain(`Subject: for ${user}`)
    })
  },
)

function settings(ports: { readonly imap: number; readonly imaps: number }): Readonly<Record<string, unknown>> {
  const account = (number: number, user: string, port: number, socketType: number): Readonly<Record<string, unknown>> =>
    Object.fromEntries([
      [`mail.account.account${number}.server`, `server${number}`],
      [`mail.account.account${number}.identities`, `id${number}`],
      [`mail.identity.id${number}.useremail`, `${user}@test.lan`],
      ...Object.entries({
        type: 'imap',
        hostname: 'localhost',
        userName: user,
        port,
        socketType,
        // A password, as it is.
        authMethod: 3,
        // Before the test has told the password, it would ask for it and wait.
        login_at_startup: false,
        check_new_mail: false,
      }).map(([key, value]) => [`mail.server.server${number}.${key}`, value]),
    ])
  return {
    'mail.accountmanager.accounts': 'account1,account2',
    ...account(1, 'alice', ports.imap, 2),
    ...account(2, 'bob', ports.imaps, 3),
    // Nothing leaves the machine: whatever is not on it goes to a proxy that is not there.
    'network.proxy.type': 1,
    'network.proxy.socks': '127.0.0.1',
    'network.proxy.socks_port': 9,
    'network.proxy.no_proxies_on': 'localhost,127.0.0.1',
  }
}

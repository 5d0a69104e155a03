// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, launch, privateFolder, type RunningServer, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Marionette } from '../lib/marionette.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

/** Without a window, told what to do over its remote control; both accounts are set up in one profile. */
scenario(
  'Thunderbird in front of two Dovecots',
  { programs: ['dovecot', 'thunderbird', 'openssl'], root: true },
  () => {
    let dovecots: TwoDovecots
    let portico: Portico<'imap' | 'imaps'>
    let program: RunningServer
    let thunderbird: Marionette

    beforeAll(async () => {
      dovecots = await startTwoDovecots()
      portico = await startPortico({
        listeners: { imap: { protocol: 'imap4', tls: 'starttls' }, imaps: { protocol: 'imap4', tls: 'implicit' } },
        users: USERS,
        backends: backendsOf(dovecots, 'imap4'),
      })
      const folder = privateFolder('tb')
      const [control = 0] = await freePorts(1)
      writeFileSync(join(folder, 'user.js'), settings(portico.ports, control))
      program = await launch({
        command: 'thunderbird',
        args: ['--headless', '--marionette', '-remote-allow-system-access', '--no-remote', '--profile', folder],
        folder,
        logFile: join(folder, 'thunderbird.log'),
        ports: [control],
        env: { HOME: folder },
      })
      thunderbird = await Marionette.open(control)
      await thunderbird.run(TRUST, testCertificates().ca.certificate)
    })
    afterAll(async () => {
      thunderbird?.close()
      await program?.stop()
      await portico?.stop()
      await dovecots?.[Symbol.asyncDispose]()
    })

    test.each([
      ['alice', 'STARTTLS'],
      ['bob', 'TLS from the first octet, master user'],
    ])('%s (%s) sees the folders, reads the own message and copies it', async (user) => {
      const seen = (await thunderbird.run(READ, user, `${user}pw`)) as {
        readonly folders: readonly string[]
        readonly subjects: readonly string[]
        readonly text: string
      }
      expect(seen.folders).toEqual(expect.arrayContaining(['INBOX', 'Sent']))
      expect(seen.subjects).toEqual([`for ${user}`])
      expect(seen.text).toContain(user === 'alice' ? 'lunch?' : 'dinner?')
      const dovecot = user === 'alice' ? dovecots.first : dovecots.second
      const copies = await dovecot.mailOf(user, 1, undefined, 'Sent')
      expect(copies.join()).toContain(`Subject: for ${user}`)
    })
  },
)

function settings(ports: { readonly imap: number; readonly imaps: number }, control: number): string {
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
  const all = {
    'marionette.port': control,
    'mail.accountmanager.accounts': 'account1,account2',
    ...account(1, 'alice', ports.imap, 2),
    ...account(2, 'bob', ports.imaps, 3),
    // Nothing leaves the machine: whatever is not on it goes to a proxy that is not there.
    'network.proxy.type': 1,
    'network.proxy.socks': '127.0.0.1',
    'network.proxy.socks_port': 9,
    'network.proxy.no_proxies_on': 'localhost,127.0.0.1',
    'mailnews.start_page.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'datareporting.healthreport.uploadEnabled': false,
    'app.update.enabled': false,
    'mail.provider.suppress_dialog_on_startup': true,
    'mail.rights.version': 1,
    'mail.spotlight.firstRunDone': true,
  }
  return Object.entries(all)
    .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`)
    .join('')
}

/** The test's own authority, for servers. */
const TRUST = `
const base64 = args[0].replace(/-----[^-]+-----|\\s/g, '')
const { classes, interfaces } = Components
classes['@mozilla.org/security/x509certdb;1'].getService(interfaces.nsIX509CertDB).addCertFromBase64(base64, 'CT,,')
`

const READ = `
const [user, password] = args
const { classes, interfaces } = Components
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
const server = MailServices.accounts.accounts.map((account) => account.incomingServer).find(({ username }) => username === user)
server.password = password
server.performExpand(null)
const folder = async (flag) => {
  for (;;) {
    const found = server.rootFolder.getFolderWithFlags(interfaces.nsMsgFolderFlags[flag])
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const finished = (start, stopped, more) => new Promise((resolve, reject) => start({
  ...more,
  [stopped]: (...facts) => {
    const status = facts.at(-1)
    status === 0 ? resolve() : reject(new Error('status ' + status.toString(16)))
  },
}))
const [inbox, sent] = [(await folder('Inbox')).QueryInterface(interfaces.nsIMsgImapMailFolder), await folder('SentMail')]
await finished((listener) => inbox.updateFolderWithListener(null, listener), 'OnStopRunningUrl', {
  QueryInterface: ChromeUtils.generateQI(['nsIUrlListener']),
  OnStartRunningUrl() {},
})
const messages = [...inbox.messages]
const uri = inbox.getUriForMsg(messages[0])
let text = ''
await finished((listener) => MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, ''), 'onStopRequest', {
  QueryInterface: ChromeUtils.generateQI(['nsIStreamListener']),
  onStartRequest() {},
  onDataAvailable(_request, input, _offset, count) {
    const stream = classes['@mozilla.org/scriptableinputstream;1'].createInstance(interfaces.nsIScriptableInputStream)
    stream.init(input)
    text += stream.read(count)
  },
})
await finished((listener) => MailServices.copy.copyMessages(inbox, [messages[0]], sent, false, listener, null, false), 'onStopCopy', {
  QueryInterface: ChromeUtils.generateQI(['nsIMsgCopyServiceListener']),
  onStartCopy() {},
  onProgress() {},
})
return {
  folders: [inbox, sent].map(({ URI }) => URI.split('/').at(-1)),
  subjects: messages.map(({ mime2DecodedSubject }) => mime2DecodedSubject),
  text,
}
`

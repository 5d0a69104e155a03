// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settingsFile, succeed } from '../lib/clients.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { backendsOf, startTwoDovecots, type TwoDovecots, USERS } from '../lib/two-dovecots.js'

const programs = ['dovecot', 'openssl', 'fetchmail', 'getmail', 'neomutt', 'offlineimap', 'script', 'setpriv']

/** Every program reads both mailboxes: alice's is opened with her own password, bob's by a master user. */
scenario('mail programs in front of two Dovecots', { programs, root: true }, () => {
  let dovecots: TwoDovecots
  let portico: Portico<'imap' | 'imaps' | 'pop3' | 'pop3s'>
  /** Where programs that have given up their rights can read it. */
  let ca: string

  beforeAll(async () => {
    ca = join(privateFolder('ca'), 'ca.pem')
    copyFileSync(testCertificates().ca.certificateFile, ca)
    dovecots = await startTwoDovecots()
    portico = await startPortico({
      listeners: {
        imap: { protocol: 'imap4', tls: 'starttls' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
        pop3: { protocol: 'pop3', tls: 'starttls' },
        pop3s: { protocol: 'pop3', tls: 'implicit' },
      },
      users: USERS,
      backends: backendsOf(dovecots, 'imap4', 'pop3'),
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await dovecots?.[Symbol.asyncDispose]()
  })

  describe('openssl s_client, all commands sent at once', () => {
    const verified = (): string[] => ['-CAfile', ca, '-verify_return_error', '-verify_hostname', 'localhost']
    const speak = (listener: 'imap' | 'imaps' | 'pop3' | 'pop3s', ...commands: string[]): Promise<string> => {
      const starttls = listener.endsWith('s') ? [] : ['-starttls', listener]
      const args = ['s_client', '-quiet', '-crlf', '-connect', `localhost:${portico.ports[listener]}`, '-4']
      return succeed('openssl', [...args, ...starttls, ...verified()], { input: `${commands.join('\n')}\n` })
    }

    test.each([
      ['imap', 'alice'],
      ['imaps', 'bob'],
    ] as const)('%s: %s', async (listener, user) => {
      const fetch = 'c FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]'
      const said = await speak(listener, `a LOGIN ${user} ${user}pw`, 'b SELECT INBOX', fetch, 'd LOGOUT')
      expect(said).toMatch(/^a OK .*^b OK .*^Subject: for \w+\r\n.*^c OK .*^d OK /ms)
      expect(said).toContain(`Subject: for ${user}\r\n`)
    })

    test.each([
      ['pop3', 'alice'],
      ['pop3s', 'bob'],
    ] as const)('%s: %s', async (listener, user) => {
      const said = await speak(listener, `USER ${user}`, `PASS ${user}pw`, 'TOP 1 0', 'QUIT')
      expect(said).toMatch(/\+OK.*\+OK.*\+OK.*Subject: for \w+\r\n.*^\.\r\n\+OK /ms)
      expect(said).toContain(`Subject: for ${user}\r\n`)
    })
  })

  test.each(['alice', 'bob'])('offlineimap: a first synchronisation of all folders of %s', async (user) => {
    const folder = privateFolder('off')
    const rc = `[general]
accounts = one
metadatadir = ${folder}/meta
[Account one]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = ${folder}/mail
[Repository far]
type = IMAP
remotehost = localhost
remoteport = ${portico.ports.imaps}
remoteuser = ${user}
remotepass = ${user}pw
ssl = yes
sslcacertfile = ${ca}
`
    const file = settingsFile('offlineimaprc', rc).file
    await succeed('offlineimap', ['-c', file, '-o', '-u', 'basic'], { env: { HOME: folder } })
    expect(readdirSync(join(folder, 'mail')).sort()).toEqual(['INBOX', 'Sent'])
    expect(mailIn(join(folder, 'mail/INBOX')).join()).toContain(`Subject: for ${user}`)
  })

  test.each(['alice', 'bob'])('fetchmail over IMAP4: STARTTLS, the mail of %s', async (user) => {
    const folder = privateFolder('fet')
    const out = join(folder, 'mail')
    const rc = `poll localhost protocol IMAP port ${portico.ports.imap} user "${user}" password "${user}pw" keep sslproto "tls1.2+" sslcertfile "${ca}" sslcertck mda "cat >>${out}"\n`
    const file = settingsFile('fetchmailrc', rc).file
    await succeed('fetchmail', ['-f', file, '--all', '--nosyslog', '--pidfile', join(folder, 'pid')], {
      env: { HOME: folder },
    })
    expect(readFileSync(out, 'utf8')).toContain(`Subject: for ${user}`)
  })

  describe.each([
    ['SimpleIMAPSSLRetriever', 'imaps'],
    ['SimplePOP3SSLRetriever', 'pop3s'],
  ] as const)('getmail, %s', (type, listener) => {
    test.each(['alice', 'bob'])('the mail of %s', async (user) => {
      const { folder, file } = settingsFile(
        'getmailrc',
        `[retriever]
type = ${type}
server = localhost
port = ${portico.ports[listener]}
username = ${user}
password = ${user}pw
ca_certs = ${ca}
[destination]
type = Maildir
path = ${privateFolder('get')}/mail/
[options]
read_all = true
delete = false
`,
      )
      const maildir = /path = (.*)\//.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
      for (const part of ['', 'new', 'cur', 'tmp']) mkdirSync(join(maildir, part), { recursive: true })
      // It does not deliver as root.
      const { uid, gid } = nobody()
      for (const path of [folder, file, maildir, ...readdirSync(maildir).map((part) => join(maildir, part))]) {
        chownSync(path, uid, gid)
      }
      const rights = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
      await succeed('setpriv', [...rights, 'getmail', `--getmaildir=${folder}`, `--rcfile=${file}`], {
        env: { HOME: folder },
        cwd: folder,
      })
      expect(mailIn(maildir).join()).toContain(`Subject: for ${user}`)
    })
  })

  test.each([
    ['alice', 'imaps'],
    ['bob', 'imap'],
  ] as const)(
    'neomutt, unattended: %s reads a message by %s, and copies it to another folder',
    async (user, listener) => {
      const folder = privateFolder('mut')
      const server = `${listener}://localhost:${portico.ports[listener]}/`
      const keys = `<pipe-message>cat>${folder}/read<enter><copy-message>=Sent<enter><quit>`
      const rc = settingsFile(
        'muttrc',
        `set imap_user="${user}" imap_pass="${user}pw" folder="${server}" spoolfile="${server}INBOX"
set ssl_ca_certificates_file="${ca}" ssl_force_tls=yes certificate_file="${folder}/certificates"
set confirmappend=no confirmcreate=no wait_key=no quit=yes move=no header_cache="" pipe_decode=no record=""
push "${keys}"
`,
      ).file
      // It wants a terminal.
      await succeed('script', ['--quiet', '--return', '--command', `neomutt -n -F ${rc}`, '/dev/null'], {
        env: { HOME: folder, TERM: 'xterm' },
      })
      expect(readFileSync(join(folder, 'read'), 'utf8')).toContain(`Subject: for ${user}`)
      const dovecot = user === 'alice' ? dovecots.first : dovecots.second
      expect((await dovecot.mailOf(user, 1, undefined, 'Sent')).join()).toContain(`Subject: for ${user}`)
    },
  )
})

function mailIn(maildir: string): string[] {
  return ['new', 'cur'].flatMap((part) =>
    readdirSync(join(maildir, part)).map((name) => readFileSync(join(maildir, part, name), 'utf8')),
  )
}

function nobody(): { readonly uid: number; readonly gid: number } {
  const id = (option: string): number => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

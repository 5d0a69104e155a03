// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { messagesOnceThere } from './mail-folder.js'
import { launch, privateFolder, type RunningServer } from './process.js'
import { programPath } from './require-server.js'

export interface CyrusOptions {
  /** First label of its host name. */
  readonly name?: string
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Passwords of those who may act for anybody: proxies in front of it, told by the authorization identity (RFC 4616). */
  readonly proxies?: Readonly<Record<string, string>>
  /** When a mailbox comes to be: with the first message for it, whoever is named, or (`sign-in`) when its user first signs in. */
  readonly mailboxes?: 'delivery' | 'sign-in'
  /** Serves CalDAV, CardDAV, WebDAV and JMAP as well, with Basic authentication; for {@link CYRUS_HTTP_PROGRAMS}. */
  readonly http?: boolean
  /** Further lines of imapd.conf. */
  readonly extra?: string
}

export interface CyrusPorts {
  readonly imap: number
  readonly imaps: number
  readonly pop3: number
  readonly pop3s: number
  readonly lmtp: number
  /** 0 without `http`. */
  readonly http: number
  readonly https: number
}

export interface Cyrus extends RunningServer {
  readonly ports: CyrusPorts
  /** The messages in a user's INBOX, with CRLF; waits up to `ms` (30 s) for at least `atLeast` of them. */
  mailOf(user: string, atLeast?: number, ms?: number): Promise<readonly string[]>
  /** Puts a message into a user's mailbox by LMTP. */
  deliver(user: string, message: string): Promise<void>
}

/** What a scenario with a Cyrus has to find on the machine. */
export const CYRUS_PROGRAMS = ['cyrmaster', 'imapd', 'pop3d', 'saslpasswd2'] as const

/** What it has to find for `http`. */
export const CYRUS_HTTP_PROGRAMS = [...CYRUS_PROGRAMS, 'httpd'] as const

const DOMAIN = 'test.lan'
const FOLDERS = ['db', 'socket', 'proc', 'lock', 'log', 'msg', 'ptclient', 'user', 'quota'].map(
  (name) => `conf/${name}`,
)

/** Starts a Cyrus IMAP 3 with IMAP, POP3 and LMTP on loopback. It logs to the system's log only. Needs root. */
export async function startCyrus(options: CyrusOptions): Promise<Cyrus> {
  const folder = privateFolder('cyr')
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0, lmtp = 0, http = 0, https = 0] = await freePorts(
    options.http === true ? 7 : 5,
  )
  const ports = { imap, imaps, pop3, pop3s, lmtp, http, https }
  const host = `${options.name ?? 'cyr'}.${DOMAIN}`
  for (const name of ['spool', 'sock', 'sieve', 'conf', ...FOLDERS]) mkdirSync(join(folder, name))
  const { ca, server: certificate } = testCertificates()
  copyFileSync(ca.certificateFile, join(folder, 'ca.pem'))
  copyFileSync(certificate.certificateFile, join(folder, 'srv.pem'))
  copyFileSync(certificate.keyFile, join(folder, 'srv.key'))
  writeFileSync(join(folder, 'imapd.conf'), daemonConfiguration(folder, host, options))
  writeFileSync(join(folder, 'cyrus.conf'), masterConfiguration(folder, ports))
  const accounts = Object.entries({ ...options.users, ...options.proxies })
  // A client that names no realm is looked up under the host's name by some mechanisms and under the domain by others.
  for (const [user, password] of accounts)
    for (const realm of [DOMAIN, host]) setPassword(folder, realm, user, password)
  execFileSync('chown', ['-R', 'cyrus:mail', folder])
  const server = await launch({
    command: programPath('cyrmaster'),
    args: ['-D', '-C', join(folder, 'imapd.conf'), '-M', join(folder, 'cyrus.conf'), '-p', join(folder, 'master.pid')],
    folder,
    logFile: join(folder, 'cyrus.log'),
    ports: Object.values(ports).filter((port) => port !== 0),
    env: { CYRUS_USER: 'cyrus' },
  })
  return {
    ...server,
    ports,
    mailOf: (user, atLeast = 0, ms = 30_000) =>
      messagesOnceThere([join(folder, 'spool/user', user)], /^\d+\.$/, atLeast, ms),
    deliver: (user, message) => deliver(lmtp, `${user}@${DOMAIN}`, message),
  }
}

function setPassword(folder: string, realm: string, user: string, password: string): void {
  const args = ['-p', '-c', '-f', join(folder, 'sasldb2'), '-u', realm, user]
  execFileSync(programPath('saslpasswd2'), args, { input: `${password}\n`, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** JMAP asks for conversations (RFC 8621 section 3); its module wants its experimental word no less. */
const HTTP_SETTINGS = `httpmodules: caldav carddav jmap webdav
conversations: yes
conversations_counted_flags: \\Draft \\Flagged $IsMailingList $IsNotification $HasAttachment
`

function daemonConfiguration(folder: string, host: string, options: CyrusOptions): string {
  const proxies = Object.keys(options.proxies ?? {})
  return `servername: ${host}
configdirectory: ${folder}/conf
defaultpartition: default
partition-default: ${folder}/spool
sievedir: ${folder}/sieve
admins: cyrus
${proxies.length === 0 ? '' : `proxyservers: ${proxies.join(' ')}`}
unixhierarchysep: yes
altnamespace: yes
virtdomains: userid
defaultdomain: ${DOMAIN}
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${folder}/sasldb2
sasl_mech_list: PLAIN LOGIN
loginrealms: ${DOMAIN}
tls_server_cert: ${folder}/srv.pem
tls_server_key: ${folder}/srv.key
tls_client_ca_file: ${folder}/ca.pem
autocreate_quota: 0
autocreate_post: ${options.mailboxes === 'sign-in' ? 'no' : 'yes'}
mailbox_legacy_dirs: yes
autocreate_inbox_folders: Sent|Drafts|Trash
idlesocket: ${folder}/sock/idle
lmtpsocket: ${folder}/sock/lmtp
notifysocket: ${folder}/sock/notify
search_engine: none
syslog_prefix: ${host}
${options.http === true ? HTTP_SETTINGS : ''}
${options.extra ?? ''}
`
}

function masterConfiguration(folder: string, ports: CyrusPorts): string {
  const service = (name: keyof CyrusPorts, program: string, options = ''): string =>
    `  ${name} cmd="${programPath(program)} -C ${folder}/imapd.conf ${options}" listen="127.0.0.1:${ports[name]}" prefork=0`
  return `START {
  recover cmd="${programPath('ctl_cyrusdb')} -C ${folder}/imapd.conf -r"
}
SERVICES {
${service('imap', 'imapd', '-U 30')}
${service('imaps', 'imapd', '-s -U 30')}
${service('pop3', 'pop3d', '-U 30')}
${service('pop3s', 'pop3d', '-s -U 30')}
${service('lmtp', 'lmtpd', '-a')}
${ports.http === 0 ? '' : service('http', 'httpd', '-U 30')}
${ports.https === 0 ? '' : service('https', 'httpd', '-s -U 30')}
}
EVENTS {
}
`
}

/** One message by LMTP (RFC 2033); throws with the server's words when it does not take it. */
async function deliver(port: number, recipient: string, message: string): Promise<void> {
  const text = message.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..')
  const steps: readonly (readonly [string, RegExp])[] = [
    ['LHLO localhost', /^220 /m],
    ['MAIL FROM:<>', /^250 /m],
    [`RCPT TO:<${recipient}>`, /^250 /m],
    ['DATA', /^250 /m],
    [`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.`, /^354 /m],
    ['QUIT', /^250 /m],
  ]
  const socket = connect({ host: '127.0.0.1', port })
  const lines = socket.setEncoding('latin1').iterator() as AsyncIterableIterator<string>
  try {
    for (const [next, expected] of steps) {
      let said = ''
      while (!/^\d{3} .*\r\n/m.test(said)) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`Cyrus closed after ${JSON.stringify(said)}`)
        said += value
      }
      if (!expected.test(said)) throw new Error(`Cyrus did not take the message: ${said.trim()}`)
      socket.write(`${next}\r\n`)
    }
  } finally {
    socket.destroy()
  }
}

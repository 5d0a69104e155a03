// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { messagesOnceThere } from './mail-folder.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface DovecotOptions {
  /** Shown in its greeting. */
  readonly name?: string
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Passwords of master users, who may log in as anybody. */
  readonly masters?: Readonly<Record<string, string>>
  /** Where its submission service relays to. */
  readonly relayPort?: number
  /** Further lines of its configuration. */
  readonly extra?: string
  /** One that was killed: this one takes its place, with its ports, users and mail. */
  readonly successorOf?: Dovecot
}

export interface DovecotPorts {
  readonly imap: number
  readonly imaps: number
  readonly pop3: number
  readonly pop3s: number
  readonly lmtp: number
  readonly sasl: number
}

export interface Dovecot extends RunningServer {
  readonly ports: DovecotPorts
  /** The messages in a user's mailbox (INBOX when no other is named); waits up to `ms` (30 s) for at least `atLeast` of them. */
  mailOf(user: string, atLeast?: number, ms?: number, mailbox?: string): Promise<readonly string[]>
  /** Puts messages into a user's mailbox. */
  deliver(user: string, ...messages: readonly string[]): void
  /** Names of the users who are signed in, once for each of their sessions. */
  who(): readonly string[]
}

/** Starts a Dovecot 2.3 with IMAP, POP3 and LMTP on loopback. It trusts forwarded client facts from loopback. Needs root. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const former = options.successorOf
  const folder = former?.folder ?? privateFolder('dov')
  const ports = former?.ports ?? (await choosePorts())
  const file = join(folder, 'dovecot.conf')
  if (former === undefined) {
    prepare(folder, options)
    writeFileSync(file, configuration(folder, options, ports))
  }
  const logFile = join(folder, 'dovecot.log')
  const server = await launch({
    command: '/usr/sbin/dovecot',
    args: ['-F', '-c', file],
    folder,
    logFile,
    ports: Object.values(ports),
  })
  return {
    ...server,
    ports,
    mailOf: (user, atLeast = 0, ms = 30_000, mailbox = 'INBOX') =>
      mailOf(join(folder, 'mail', user, 'Maildir', mailbox === 'INBOX' ? '' : `.${mailbox}`), atLeast, ms),
    deliver: (user, ...messages) => deliver(folder, user, messages),
    who: () => who(file),
  }
}

async function choosePorts(): Promise<DovecotPorts> {
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0, lmtp = 0, sasl = 0] = await freePorts(6)
  return { imap, imaps, pop3, pop3s, lmtp, sasl }
}

/** Its lines have a user, a count, the protocol, process ids and addresses. */
function who(file: string): readonly string[] {
  const said = execFileSync('doveadm', ['-c', file, '-f', 'tab', 'who'], { encoding: 'utf8', stdio: 'pipe' })
  const [, ...lines] = said.trim().split('\n')
  return lines.flatMap((line) => {
    const [user = '', count = '0'] = line.split('\t')
    return Array.from({ length: Number(count) }, () => user)
  })
}

function prepare(folder: string, options: DovecotOptions): void {
  for (const name of ['run', 'state', 'mail']) mkdirSync(join(folder, name))
  const { server } = testCertificates()
  copyFileSync(server.certificateFile, join(folder, 'srv.pem'))
  copyFileSync(server.keyFile, join(folder, 'srv.key'))
  const passwords = (users: Readonly<Record<string, string>>): string =>
    Object.entries(users)
      .map(([user, password]) => `${user}:{PLAIN}${password}::::::\n`)
      .join('')
  writeFileSync(join(folder, 'users'), passwords(options.users))
  writeFileSync(join(folder, 'masters'), passwords(options.masters ?? {}))
  execFileSync('chown', ['mail', join(folder, 'mail')])
}

const listenerOf = (service: string, listeners: Readonly<Record<string, number>>): string =>
  [
    `service ${service} {`,
    ...Object.entries(listeners).flatMap(([name, port]) => [
      `  inet_listener ${name} {`,
      `    port = ${port}`,
      ...(/s$/.test(name) && name !== 'sieves' ? ['    ssl = yes'] : []),
      '  }',
    ]),
    '}',
  ].join('\n')

function configuration(folder: string, options: DovecotOptions, ports: DovecotPorts): string {
  const name = options.name ?? 'mbx'
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
instance_name = ${name}
protocols = imap pop3 lmtp
listen = 127.0.0.1
hostname = ${name}.test.lan
login_greeting = ${name} ready
login_trusted_networks = 127.0.0.0/8
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
mail_home = ${folder}/mail/%u
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
ssl = yes
ssl_cert = <${folder}/srv.pem
ssl_key = <${folder}/srv.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
auth_master_user_separator = *
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = ${folder}/masters
  master = yes
  result_success = continue
}
passdb {
  driver = passwd-file
  args = username_format=%u ${folder}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u ${folder}/users
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
    auto = subscribe
  }
}
protocol lmtp {
  postmaster_address = postmaster@test.lan
}
${listenerOf('imap-login', { imap: ports.imap, imaps: ports.imaps })}
${listenerOf('pop3-login', { pop3: ports.pop3, pop3s: ports.pop3s })}
${listenerOf('lmtp', { lmtp: ports.lmtp })}
${listenerOf('auth', { sasl: ports.sasl })}
${options.extra ?? ''}
`
}

function mailOf(maildir: string, atLeast: number, ms: number): Promise<readonly string[]> {
  return messagesOnceThere([join(maildir, 'new'), join(maildir, 'cur')], /(?:)/, atLeast, ms)
}

let delivered = 0

function deliver(folder: string, user: string, messages: readonly string[]): void {
  const maildir = join(folder, 'mail', user, 'Maildir')
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(maildir, part), { recursive: true })
  for (const message of messages) {
    const file = join(maildir, 'new', `${Date.now()}.${delivered++}.test`)
    writeFileSync(file, message.replace(/\r?\n/g, '\n'))
  }
  execFileSync('chown', ['-R', 'mail', join(folder, 'mail', user)])
}

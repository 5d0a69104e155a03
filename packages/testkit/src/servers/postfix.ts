// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { queueEmpty } from './mail-queue.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface PostfixOptions {
  readonly name?: string
  /** Mail for test.lan goes there by LMTP. */
  readonly lmtpPort?: number
  /** All its mail goes there by SMTP instead. */
  readonly smtpPort?: number
  /** What it lets a proxy tell of its clients: by XCLIENT and XFORWARD both when absent. */
  readonly clientFacts?: 'xforward' | 'none'
  /**
   * A line that ends with LF alone ends like any other when absent, as in Postfix 3.7 itself: `LF . LF` ends a message too. Else
   * only `CRLF . CRLF` does, and such lines are taken (`normalize`) or the message is refused (`reject`).
   */
  readonly bareNewlines?: 'normalize' | 'reject'
  /** Service extensions that it does not offer. */
  readonly withoutExtensions?: readonly string[]
  /** Dovecot's SASL service: makes AUTH work, and XCLIENT LOGIN= count. */
  readonly saslPort?: number
  /** The recipients that exist; anybody at test.lan when absent. */
  readonly recipients?: readonly string[]
  /** Further lines of main.cf. */
  readonly extra?: string
}

export interface Postfix extends RunningServer {
  readonly port: number
  /** Waits until its queue is empty: whatever it accepted has been delivered, or sent back. Throws after `ms` (30 s). */
  settled(ms?: number): Promise<void>
}

/** Seconds since 1970. */
const LONG_AGO = 1_000_000_000

const SERVICES = `
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`

/** Starts a Postfix 3 with one SMTP port on loopback, passing its mail on to loopback only; nothing can leave the machine. Needs root. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const folder = privateFolder('pfx')
  const [port = 0] = await freePorts(1)
  const etc = join(folder, 'etc')
  for (const name of ['etc', 'spool', 'data']) mkdirSync(join(folder, name))
  execFileSync('chown', ['postfix', join(folder, 'data')])
  const { server: certificate } = testCertificates()
  copyFileSync(certificate.certificateFile, join(etc, 'srv.pem'))
  copyFileSync(certificate.keyFile, join(etc, 'srv.key'))
  writeFileSync(join(etc, 'main.cf'), mainConfiguration(folder, options))
  writeFileSync(join(etc, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`)
  if (options.recipients !== undefined) {
    writeFileSync(join(etc, 'recipients'), options.recipients.map((recipient) => `${recipient} ok\n`).join(''))
  }
  // It waits until its files are some seconds old, lest somebody is still writing them.
  for (const name of readdirSync(etc)) utimesSync(join(etc, name), LONG_AGO, LONG_AGO)
  execFileSync('/usr/sbin/postfix', ['-c', etc, 'check'], { stdio: 'pipe' })
  const server = await launch({
    command: '/usr/lib/postfix/sbin/master',
    args: ['-c', etc, '-d'],
    folder,
    logFile: join(folder, 'mail.log'),
    ports: [port],
  })
  const settled = (ms?: number): Promise<void> =>
    queueEmpty('/usr/sbin/postqueue', ['-c', etc, '-p'], /^Mail queue is empty/, ms)
  return { ...server, port, settled }
}

function mainConfiguration(folder: string, options: PostfixOptions): string {
  const sasl =
    options.saslPort === undefined
      ? ''
      : `
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${options.saslPort}`
  const onwards =
    options.smtpPort === undefined ? 'error:nothing leaves this machine' : `smtp:[127.0.0.1]:${options.smtpPort}`
  return `
compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}, /dev/stdout
myhostname = ${options.name ?? 'mta'}.test.lan
mydestination =
mynetworks = 127.0.0.1/32
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = test.lan
virtual_mailbox_maps = ${options.recipients === undefined ? 'static:ok' : `texthash:${folder}/etc/recipients`}
virtual_transport = ${options.smtpPort === undefined ? `lmtp:inet:127.0.0.1:${options.lmtpPort}` : onwards}
smtpd_authorized_xclient_hosts = ${options.clientFacts === undefined ? '127.0.0.0/8' : ''}
smtpd_authorized_xforward_hosts = ${options.clientFacts === 'none' ? '' : '127.0.0.0/8'}
smtpd_forbid_bare_newline = ${options.bareNewlines ?? 'no'}
smtpd_forbid_bare_newline_exclusions =
smtpd_discard_ehlo_keywords = ${(options.withoutExtensions ?? []).join(', ')}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = ${folder}/etc/srv.pem
smtpd_tls_key_file = ${folder}/etc/srv.key
smtpd_tls_security_level = may
default_transport = ${onwards}
relay_transport = ${onwards}
disable_dns_lookups = yes
smtp_host_lookup = native
${sasl}
${options.extra ?? ''}
`
}

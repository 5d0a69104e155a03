// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { launch, privateFolder, type RunningServer } from './process.js'

export interface PostfixOptions {
  readonly name?: string
  /** Mail for test.lan goes there. */
  readonly lmtpPort: number
  /** Dovecot's SASL service: makes AUTH work, and XCLIENT LOGIN= count. */
  readonly saslPort?: number
  /** The recipients that exist; anybody at test.lan when absent. */
  readonly recipients?: readonly string[]
  /** Further lines of main.cf. */
  readonly extra?: string
}

export interface Postfix extends RunningServer {
  readonly port: number
}

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
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`

/** Starts a Postfix 3 with one SMTP port on loopback, delivering by LMTP; nothing can leave the machine. Needs root. */
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
  execFileSync('/usr/sbin/postfix', ['-c', etc, 'check'], { stdio: 'pipe' })
  const server = await launch({
    command: '/usr/lib/postfix/sbin/master',
    args: ['-c', etc, '-d'],
    folder,
    logFile: join(folder, 'mail.log'),
    ports: [port],
  })
  return { ...server, port }
}

function mainConfiguration(folder: string, options: PostfixOptions): string {
  const sasl =
    options.saslPort === undefined
      ? ''
      : `
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${options.saslPort}`
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
virtual_transport = lmtp:inet:127.0.0.1:${options.lmtpPort}
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = ${folder}/etc/srv.pem
smtpd_tls_key_file = ${folder}/etc/srv.key
smtpd_tls_security_level = may
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
disable_dns_lookups = yes
smtp_host_lookup = native
${sasl}
${options.extra ?? ''}
`
}

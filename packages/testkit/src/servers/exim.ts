// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testCertificates } from '../certificates.js'
import { freePorts } from './free-ports.js'
import { queueEmpty } from './mail-queue.js'
import { launch, privateFolder, type RunningServer } from './process.js'
import { programPath } from './require-server.js'

export interface EximOptions {
  /** First label of its host name. */
  readonly name?: string
  /** Mail for test.lan goes there by LMTP. */
  readonly lmtpPort?: number
  /** All its mail goes there by SMTP instead, in chunks where the other side offers CHUNKING (RFC 3030). */
  readonly smtpPort?: number
  /** Passwords by user name; each is also the local part of a recipient that exists. */
  readonly users: Readonly<Record<string, string>>
  /** Further lines of the main section of its configuration. */
  readonly extra?: string
}

export interface Exim extends RunningServer {
  readonly port: number
  /** Waits until its queue is empty: whatever it accepted has been delivered, or sent back. Throws after `ms` (30 s). */
  settled(ms?: number): Promise<void>
}

/**
 * Starts an Exim 4 with one SMTP port on loopback, delivering by LMTP; nothing can leave the machine. It offers STARTTLS, AUTH,
 * CHUNKING, DSN and SMTPUTF8, knows no XCLIENT, and its own replies have no enhanced codes. Users who sign in may send anywhere,
 * others to test.lan only. A message whose subject has the words `refuse this` is refused in two lines, once it is there. Needs
 * root.
 */
export async function startExim(options: EximOptions): Promise<Exim> {
  const program = programPath('exim4')
  const folder = privateFolder('exi')
  const [port = 0] = await freePorts(1)
  for (const name of ['spool', 'log']) mkdirSync(join(folder, name))
  const { server: certificate } = testCertificates()
  copyFileSync(certificate.certificateFile, join(folder, 'srv.pem'))
  copyFileSync(certificate.keyFile, join(folder, 'srv.key'))
  const accounts = Object.entries(options.users).map(([user, password]) => `${user}: ${password}\n`)
  writeFileSync(join(folder, 'users'), accounts.join(''), { mode: 0o600 })
  execFileSync('chown', ['-R', 'Debian-exim', folder])
  const file = join(folder, 'exim.conf')
  // It reads no configuration that somebody else could have written.
  writeFileSync(file, configuration(program, folder, port, options))
  const server = await launch({
    command: program,
    args: ['-C', file, '-bdf', '-q1m'],
    folder,
    logFile: join(folder, 'log', 'main'),
    ports: [port],
  })
  return { ...server, port, settled: (ms) => queueEmpty(program, ['-C', file, '-bpc'], /^0$/m, ms) }
}

function configuration(program: string, folder: string, port: number, options: EximOptions): string {
  const verified = `\${if eq{PASSWORD}{\${lookup{USER}lsearch{${folder}/users}{$value}fail}}}`
  const verify = (user: string, password: string): string =>
    verified.replace('USER', user).replace('PASSWORD', password)
  return `
exim_path = ${program}
primary_hostname = ${options.name ?? 'exim'}.test.lan
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%s
pid_file_path = ${folder}/exim.pid
log_selector = +all_parents +received_recipients +smtp_connection +smtp_protocol_error
disable_ipv6
keep_environment =
host_lookup =
helo_lookup_domains =
rfc1413_query_timeout = 0s
qualify_domain = test.lan
smtp_accept_max = 0
smtp_connect_backlog = 500
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
tls_advertise_hosts = *
tls_certificate = ${folder}/srv.pem
tls_privatekey = ${folder}/srv.key
dsn_advertise_hosts = *
acl_smtp_rcpt = check_recipient
acl_smtp_data = check_message
${options.extra ?? ''}
begin acl
check_recipient:
  accept authenticated = *
  require message = relay not permitted
          domains = test.lan
  require verify = recipient
  accept
check_message:
  deny condition = \${if match{$h_subject:}{refuse this}}
       message = Not this one\\nThank you
  accept
begin routers
onwards:
  driver = manualroute
  ${options.smtpPort === undefined ? `domains = test.lan\n  local_parts = ${Object.keys(options.users).join(' : ')}` : ''}
  transport = onwards
  route_list = * 127.0.0.1
  self = send
begin transports
onwards:
  driver = smtp
  protocol = ${options.smtpPort === undefined ? 'lmtp' : 'smtp'}
  port = ${options.smtpPort ?? options.lmtpPort}
  hosts_try_fastopen =
begin retry
* * F,1h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_set_id = $auth2
  server_condition = ${verify('$auth2', '$auth3')}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_set_id = $auth1
  server_condition = ${verify('$auth1', '$auth2')}
`
}

// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Postfix as a proxy: smtpd hands each message to the sink before it answers (`smtpd_proxy_filter`), and queues nothing. Needs root. */
export function postfix(folder, tls, sink, ports) {
  const home = join(folder, 'postfix')
  const etc = join(home, 'etc')
  for (const name of ['etc', 'spool', 'data']) mkdirSync(join(home, name), { recursive: true })
  // Its processes change to a user of their own, and have to get here.
  execFileSync('chmod', ['755', folder])
  execFileSync('chown', ['postfix', join(home, 'data')])
  copyFileSync(tls.both, join(etc, 'both.pem'))
  writeFileSync(
    join(etc, 'main.cf'),
    `compatibility_level = 3.6
queue_directory = ${home}/spool
data_directory = ${home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${home}/mail.log
maillog_file_prefixes = ${home}
myhostname = bench.test
mydestination =
mynetworks = 127.0.0.1/32
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_proxy_filter = 127.0.0.1:${sink.smtp}
smtpd_tls_cert_file = ${etc}/both.pem
smtpd_tls_key_file = ${etc}/both.pem
smtpd_tls_security_level = may
message_size_limit = 100000000
disable_dns_lookups = yes
`,
  )
  writeFileSync(
    join(etc, 'master.cf'),
    `127.0.0.1:${ports.smtp} inet n - n - - smtpd
127.0.0.1:${ports.smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`,
  )
  execFileSync('/usr/sbin/postfix', ['-c', etc, 'check'], { stdio: 'pipe' })
  return ['/usr/lib/postfix/sbin/master', ['-c', etc, '-d']]
}

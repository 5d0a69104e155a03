// SPDX-License-Identifier: MIT
// How each proxy is set up for the comparison: the command that starts it, with its configuration written to `folder`.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function nginx(folder, tls, sink, ports, bufferSize) {
  const home = join(folder, `nginx-${bufferSize}`)
  mkdirSync(home, { recursive: true })
  const file = join(home, 'nginx.conf')
  writeFileSync(
    file,
    `load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 16384; }
mail {
  auth_http 127.0.0.1:${sink.lookup}/auth; proxy_buffer ${bufferSize};
  imap_capabilities IMAP4rev1 LITERAL+; smtp_auth plain login; smtp_capabilities 8BITMIME PIPELINING "SIZE 100000000"; server_name bench.test; xclient on;
  ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${ports.imap}; protocol imap; }
  server { listen 127.0.0.1:${ports.imaps} ssl; protocol imap; }
  server { listen 127.0.0.1:${ports.smtp}; protocol smtp; }
  server { listen 127.0.0.1:${ports.smtps} ssl; protocol smtp; }
  server { listen 127.0.0.1:${ports.pop3}; protocol pop3; pop3_auth plain; }
}
http {
  access_log ${home}/access.log; client_body_temp_path ${home}/b; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream page { server 127.0.0.1:${sink.page}; keepalive 64; keepalive_requests 1000000; }
  keepalive_requests 1000000; client_max_body_size 100m; client_body_buffer_size 128k; proxy_read_timeout 3600s;
  ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${ports.http}; listen 127.0.0.1:${ports.https} ssl http2;
    location / { proxy_pass http://page; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`,
  )
  return ['nginx', ['-c', file, '-p', home]]
}

export function haproxy(folder, tls, sink, ports) {
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  mode tcp
listen imap
  bind 127.0.0.1:${ports.imap}
  server sink 127.0.0.1:${sink.imap}
listen imaps
  bind 127.0.0.1:${ports.imaps} ssl crt ${tls.both}
  server sink 127.0.0.1:${sink.imap}
listen pop3
  bind 127.0.0.1:${ports.pop3}
  server sink 127.0.0.1:${sink.pop3}
listen smtp
  bind 127.0.0.1:${ports.smtp}
  server sink 127.0.0.1:${sink.smtp}
listen smtps
  bind 127.0.0.1:${ports.smtps} ssl crt ${tls.both}
  server sink 127.0.0.1:${sink.smtp}
listen http
  mode http
  bind 127.0.0.1:${ports.http}
  bind 127.0.0.1:${ports.https} ssl crt ${tls.both} alpn h2,http/1.1
  server sink 127.0.0.1:${sink.page}
`,
  )
  return ['haproxy', ['-f', file, '-db']]
}

export function portico(
  folder,
  tls,
  sink,
  ports,
  { root, transport = 'auto', clientFacts = 'xclient', smtp = '', limits = '' },
) {
  const home = mkdtempSync(join(folder, 'portico-'))
  const users = join(home, 'users')
  writeFileSync(users, 'web:{PLAIN}secret::::::group=sink\n', { mode: 0o600 })
  const key = readFileSync(tls.key)
  writeFileSync(join(home, 'key'), key, { mode: 0o600 })
  const file = join(home, 'portico.yaml')
  writeFileSync(
    file,
    `version: 1
hostname: bench.test
tls:
  - { names: [bench.test], certificate: ${tls.cert}, key: { file: ${home}/key } }
listeners:
  - { protocol: imap4, address: "127.0.0.1:${ports.imap}", tls: none, plaintextPasswords: loopback }
  - { protocol: imap4, address: "127.0.0.1:${ports.imaps}", tls: implicit }
  - { protocol: pop3, address: "127.0.0.1:${ports.pop3}", tls: none, plaintextPasswords: loopback }
  - { protocol: smtp, address: "127.0.0.1:${ports.smtp}", tls: none, plaintextPasswords: loopback, connector: client }
  - { protocol: smtp, address: "127.0.0.1:${ports.smtps}", tls: implicit, connector: client }
  - { protocol: http, address: "127.0.0.1:${ports.http}", tls: none, plaintextPasswords: loopback }
  - { protocol: http, address: "127.0.0.1:${ports.https}", tls: implicit }
credentials:
  - { type: users-file, path: ${users} }
  - { type: auth-http, url: "http://127.0.0.1:${sink.lookup}/auth" }
location:
  - { type: users-file }
  - { type: auth-http, group: sink }
backends:
  sink:
    imap4: { endpoints: ["127.0.0.1:${sink.imap}"], tls: { mode: none } }
    pop3: { endpoints: ["127.0.0.1:${sink.pop3}"], tls: { mode: none } }
    smtp: { endpoints: ["127.0.0.1:${sink.smtp}"], tls: { mode: none }, identity: xclient }
    http: { endpoints: ["http://127.0.0.1:${sink.page}"] }
log: { level: info, format: json, file: ${home}/log }
http: { directories: [{ mount: / }, { mount: /web, auth: [forms] }] }
smtp: { clientFacts: ${clientFacts}${smtp} }
transport: ${transport}
${limits}`,
  )
  return [process.execPath, [join(root, 'packages/cli/dist/bin.js'), 'serve', '--config', file, '--workers', '1']]
}

const JUDGED =
  ', connectors: { client: { permissions: { authenticated: [submit, relay, any-sender, routing-headers] } } }'

/** Agents that look at clients, envelopes and header fields: the message itself is kept nowhere. */
export function headerAgents() {
  const at = 'connectors: [client]'
  const agents = [
    `{ type: ip-list, ${at}, block: [192.0.2.0/24] }`,
    `{ type: helo, ${at} }`,
    `{ type: sender-filter, ${at}, block: [far.example, "*.far.example"] }`,
    `{ type: recipient-filter, ${at}, block: [staff@bench.test] }`,
    `{ type: rules, ${at}, rules: [{ name: one, if: { subjectContains: [lottery] }, then: [{ reject: { text: No lottery } }] }] }`,
  ]
  return `${JUDGED}, agents: [${agents.join(', ')}]`
}

/** Every message is kept until rspamd has seen it. */
export function rspamdAgent(sink) {
  return `${JUDGED}, agents: [{ type: rspamd, connectors: [client], url: "http://127.0.0.1:${sink.judge}/checkv2" }]`
}

/**
 * Its login processes serve many sessions each (not one, the default), and hand them over to the sink. Everybody is who they say
 * to be: it asks no look-up service, and speaks neither SMTP nor HTTP here.
 */
export function dovecot(folder, tls, sink, ports) {
  const home = join(folder, 'dovecot')
  mkdirSync(join(home, 'run'), { recursive: true })
  const file = join(home, 'dovecot.conf')
  const login = (protocol, listeners) => `service ${protocol}-login {
  ${listeners}
  service_count = 0
  process_min_avail = 1
  process_limit = 1
  client_limit = 16000
  chroot =
}
`
  const listener = (name, port, ssl = '') => `inet_listener ${name} {
    address = 127.0.0.1
    port = ${port}
    ${ssl}
  }`
  writeFileSync(
    file,
    `base_dir = ${home}/run
state_dir = ${home}/run
log_path = ${home}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${tls.cert}
ssl_key = <${tls.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {
  driver = static
  args = nopassword=y proxy=y host=127.0.0.1 port=%{if;%s;eq;imap;${sink.imap};${sink.pop3}}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
${login('imap', `${listener('imap', ports.imap)}\n  ${listener('imaps', ports.imaps, 'ssl = yes')}`)}
${login('pop3', `${listener('pop3', ports.pop3)}\n  ${listener('pop3s', 0)}`)}
`,
  )
  return ['dovecot', ['-F', '-c', file]]
}

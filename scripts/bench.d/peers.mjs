// SPDX-License-Identifier: MIT
// Starts the proxies that are compared, each on core 1 alone, in front of the same sink.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const PROXY_CORE = '1'

/** Ports below the range that outgoing connections use, so that no listener loses its port to one. */
export async function freePorts(count) {
  const ports = []
  for (let port = 21000; ports.length < count && port < 32000; port++) {
    const free = await new Promise((resolve) => {
      const probe = createServer()
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) ports.push(port)
  }
  return ports
}

/** CPU nanoseconds that these processes and their threads have used. */
export function cpuOf(pids) {
  let sum = 0
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0])
    }
  }
  return sum
}

function withChildren(pid) {
  const pids = [pid]
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      if (parent === pid) pids.push(...withChildren(Number(entry)))
    } catch {
      // The process ended while it was looked at.
    }
  }
  return pids
}

export function certificate(folder) {
  const key = join(folder, 'bench.key')
  const cert = join(folder, 'bench.pem')
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key], { stdio: 'ignore' })
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-new',
      '-key',
      key,
      '-days',
      '30',
      '-subj',
      '/CN=bench.test',
      '-addext',
      'subjectAltName=DNS:bench.test,IP:127.0.0.1',
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  writeFileSync(join(folder, 'both.pem'), readFileSync(cert, 'latin1') + readFileSync(key, 'latin1'))
  return { key, cert, both: join(folder, 'both.pem') }
}

function start(name, command, args, log) {
  const child = spawn('taskset', ['-c', PROXY_CORE, command, ...args], { stdio: ['ignore', log, log], detached: true })
  child.on('error', (error) => {
    throw new Error(`${name} does not start: ${error.message}`)
  })
  return child
}

async function listening(name, port) {
  const { connect } = await import('node:net')
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${name} does not listen on port ${port}`)
}

function nginx(folder, tls, sink, ports, bufferSize) {
  const home = join(folder, `nginx-${bufferSize}`)
  mkdirSync(home, { recursive: true })
  const file = join(home, 'nginx.conf')
  writeFileSync(
    file,
    `load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
mail {
  auth_http 127.0.0.1:${sink.lookup}/auth; proxy_buffer ${bufferSize};
  imap_capabilities IMAP4rev1 LITERAL+; smtp_auth plain login; smtp_capabilities 8BITMIME PIPELINING; server_name bench.test; xclient on;
  ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:${ports.imap}; protocol imap; }
  server { listen 127.0.0.1:${ports.imaps} ssl; protocol imap; }
  server { listen 127.0.0.1:${ports.smtp}; protocol smtp; }
}
http {
  access_log ${home}/access.log; client_body_temp_path ${home}/b; proxy_temp_path ${home}/p; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream page { server 127.0.0.1:${sink.page}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${ports.http}; keepalive_requests 1000000;
    location / { proxy_pass http://page; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`,
  )
  return ['nginx', ['-c', file, '-p', home]]
}

function haproxy(folder, tls, sink, ports) {
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
listen smtp
  bind 127.0.0.1:${ports.smtp}
  server sink 127.0.0.1:${sink.smtp}
listen http
  mode http
  bind 127.0.0.1:${ports.http}
  server sink 127.0.0.1:${sink.page}
`,
  )
  return ['haproxy', ['-f', file, '-db']]
}

function portico(folder, tls, sink, ports, root) {
  const home = join(folder, 'portico')
  mkdirSync(home, { recursive: true })
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
  - { protocol: smtp, address: "127.0.0.1:${ports.smtp}", tls: none, plaintextPasswords: loopback, connector: client }
  - { protocol: http, address: "127.0.0.1:${ports.http}", tls: none, plaintextPasswords: loopback }
credentials:
  - { type: users-file, path: ${users} }
  - { type: auth-http, url: "http://127.0.0.1:${sink.lookup}/auth" }
location:
  - { type: users-file }
  - { type: auth-http, group: sink }
backends:
  sink:
    imap4: { endpoints: ["127.0.0.1:${sink.imap}"], tls: { mode: none } }
    smtp: { endpoints: ["127.0.0.1:${sink.smtp}"], tls: { mode: none }, identity: xclient }
    http: { endpoints: ["http://127.0.0.1:${sink.page}"] }
log: { level: info, format: json, file: ${home}/log }
`,
  )
  return [process.execPath, [join(root, 'packages/cli/dist/bin.js'), 'serve', '--config', file, '--workers', '1']]
}

/** Starts all of them; each says its ports and how much CPU it has used. */
export async function startPeers({ folder, tls, sink, root, log }) {
  const kinds = {
    nginx: (ports) => nginx(folder, tls, sink, ports, '4k'),
    'nginx 64k': (ports) => nginx(folder, tls, sink, ports, '64k'),
    haproxy: (ports) => haproxy(folder, tls, sink, ports),
    portico: (ports) => portico(folder, tls, sink, ports, root),
  }
  const peers = []
  for (const [name, make] of Object.entries(kinds)) {
    const [imap, imaps, smtp, http] = await freePorts(4)
    const ports = { imap, imaps, smtp, http }
    const child = start(name, ...make(ports), log)
    for (const port of Object.values(ports)) await listening(name, port)
    const pids = () => withChildren(child.pid)
    peers.push({ name, ports, pids, cpu: () => cpuOf(pids()), stop: () => process.kill(child.pid, 'SIGTERM') })
  }
  return peers
}

// SPDX-License-Identifier: MIT
// Starts the proxies that are compared, each on core 1 alone, in front of the same sink.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { dovecot, haproxy, headerAgents, nginx, portico, rspamdAgent } from './configurations.mjs'
import { postfix } from './postfix.mjs'

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
  for (let tries = 0; tries < 600; tries++) {
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

/** Memory that these processes have to themselves, in octets: what they share is divided among them. */
export function memoryOf(pids) {
  let sum = 0
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    sum += Number(/^Pss: +(\d+)/m.exec(text)?.[1] ?? 0) * 1024
  }
  return sum
}

const HAS_DOVECOT = existsSync('/usr/sbin/dovecot')
const HAS_POSTFIX = process.getuid() === 0 && existsSync('/usr/lib/postfix/sbin/master')
const ALL = ['imap', 'imaps', 'pop3', 'smtp', 'smtps', 'http', 'https']
const MAIL_TRANSFER = ['smtp', 'smtps']

/** How each is started and what it serves. Those that are not `usual` are measured only when they are asked for. */
const KINDS = {
  nginx: { usual: true, serves: ALL, make: (at) => nginx(at.folder, at.tls, at.sink, at.ports, '4k') },
  'nginx 64k': { usual: true, serves: ALL, make: (at) => nginx(at.folder, at.tls, at.sink, at.ports, '64k') },
  haproxy: { usual: true, serves: ALL, make: (at) => haproxy(at.folder, at.tls, at.sink, at.ports) },
  dovecot: {
    usual: HAS_DOVECOT,
    serves: ['imap', 'imaps', 'pop3'],
    make: (at) => dovecot(at.folder, at.tls, at.sink, at.ports),
  },
  // It asks nobody who they are: sign-in would need a Dovecot beside it.
  postfix: {
    usual: HAS_POSTFIX,
    serves: MAIL_TRANSFER,
    signsIn: false,
    make: (at) => postfix(at.folder, at.tls, at.sink, at.ports),
  },
  portico: { usual: true, serves: ALL, make: (at) => portico(at.folder, at.tls, at.sink, at.ports, at) },
  'portico xforward': {
    usual: true,
    serves: MAIL_TRANSFER,
    make: (at) => portico(at.folder, at.tls, at.sink, at.ports, { ...at, clientFacts: 'xforward' }),
  },
  'portico with agents': {
    usual: false,
    serves: MAIL_TRANSFER,
    make: (at) => portico(at.folder, at.tls, at.sink, at.ports, { ...at, smtp: headerAgents() }),
  },
  'portico with rspamd': {
    usual: false,
    serves: MAIL_TRANSFER,
    make: (at) => portico(at.folder, at.tls, at.sink, at.ports, { ...at, smtp: rspamdAgent(at.sink) }),
  },
  /** Another build, for what a change costs. */
  'portico of BENCH_FORMER': {
    usual: false,
    serves: ALL,
    make: (at) => portico(at.folder, at.tls, at.sink, at.ports, { ...at, root: process.env.BENCH_FORMER }),
  },
  'portico on node:net': {
    usual: false,
    serves: ALL,
    make: (at) => portico(at.folder, at.tls, at.sink, at.ports, { ...at, transport: 'node' }),
  },
}

/** The names of those that are measured: BENCH_PEERS, or the usual ones. nginx is always among them. */
export function peerNames() {
  const asked = process.env.BENCH_PEERS?.split(',')
  const names = Object.keys(KINDS).filter((name) => (asked === undefined ? KINDS[name].usual : asked.includes(name)))
  return names.includes('nginx') ? names : ['nginx', ...names]
}

/** Starts one of them; it says its ports, its processes and how much CPU they have used. */
export async function startPeer(name, at) {
  const { serves, make, signsIn = true } = KINDS[name]
  const numbers = await freePorts(ALL.length)
  const ports = Object.fromEntries(ALL.map((service, index) => [service, numbers[index]]))
  const child = start(name, ...make({ ...at, ports }), at.log)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const stop = () => {
    child.kill('SIGTERM')
    return gone
  }
  try {
    for (const service of serves) await listening(name, ports[service])
  } catch (error) {
    await stop()
    throw error
  }
  const pids = () => withChildren(child.pid)
  return { name, serves, signsIn, ports, pids, cpu: () => cpuOf(pids()), memory: () => memoryOf(pids()), stop }
}

/** All of them, or none: who has been started is stopped when another does not start. */
export async function startPeers(at) {
  const peers = []
  try {
    for (const name of peerNames()) peers.push(await startPeer(name, at))
  } catch (error) {
    await Promise.all(peers.map((peer) => peer.stop()))
    throw error
  }
  return peers
}

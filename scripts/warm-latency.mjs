// SPDX-License-Identifier: MIT
// How long an IMAP4 sign-in takes at a backend that is some way off, with warm connections and without: the median of the time from
// LOGIN to its OK. A relay of our own makes the way; the backend behind it says yes to everybody.
//   WAY_MS=20  one way, milliseconds      LOGINS=40  sign-ins of each kind
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { createFrontEnd } from '../packages/frontend/dist/index.js'
import { imap4 } from '../protocols/imap4/dist/index.js'
import { certificate } from './bench.d/peers.mjs'

const WAY_MS = Number(process.env.WAY_MS ?? 20)
const LOGINS = Number(process.env.LOGINS ?? 40)
/** Between two sign-ins, so that each finds the pool as it stands most of the time. */
const PAUSE_MS = 300 + 10 * WAY_MS

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

function serve(socket) {
  socket.on('error', () => socket.destroy())
  socket.write('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n')
  socket.on('data', (bytes) => {
    for (const line of bytes.toString('latin1').split('\r\n').filter(Boolean))
      socket.write(`${line.split(' ')[0]} OK [CAPABILITY IMAP4rev1] done\r\n`)
  })
}

/** Octets come out in their order, each so long after it went in, and none before `from`. */
function delayed(source, target, from) {
  const later = (act) => setTimeout(act, WAY_MS + Math.max(0, from - performance.now()))
  source.on('data', (bytes) => later(() => target.write(bytes)))
  source.on('end', () => later(() => target.end()))
  source.on('error', () => target.destroy())
}

/** A way to a port. Connecting takes a round trip, of which only the end can be delayed: what is sent sooner waits for it. */
function relayTo(port) {
  return createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const connected = performance.now() + 2 * WAY_MS
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    delayed(near, far, connected)
    // The far side greets when the third packet of the handshake has come.
    delayed(far, near, connected + WAY_MS)
  })
}

/** One sign-in: milliseconds from LOGIN to its OK. */
function signIn(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let asked
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (asked === undefined) {
        asked = performance.now()
        socket.write('a1 LOGIN user secret\r\n')
      } else if (text.startsWith('a1 OK')) {
        resolve(performance.now() - asked)
        socket.destroy()
      } else reject(new Error(`the sign-in came to ${text}`))
    })
  })
}

async function median(port) {
  await signIn(port)
  const all = []
  for (let at = 0; at < LOGINS; at++) {
    await sleep(PAUSE_MS)
    all.push(await signIn(port))
  }
  all.sort((a, b) => a - b)
  return all[Math.floor(all.length / 2)]
}

async function measure(folder, backendPort, tls, warm) {
  const frontEnd = await createFrontEnd({
    config: {
      version: 1,
      listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'none', plaintextPasswords: 'always' }],
      credentials: [{ type: 'users-file', path: join(folder, 'users') }],
      location: [{ type: 'rule', match: { user: '*' }, group: 'far' }],
      backends: { far: { pool: { warm }, imap4: { endpoints: [`127.0.0.1:${backendPort}`], tls } } },
    },
    protocols: [imap4],
  })
  try {
    return await median(frontEnd.listeners[0].port)
  } finally {
    await frontEnd.close()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'portico-warm-'))
writeFileSync(join(folder, 'users'), 'user:{PLAIN}secret\n', { mode: 0o600 })
const { cert, key } = certificate(folder)
const backends = [
  ['plain', createServer({ noDelay: true }, serve), { mode: 'none' }],
  [
    'TLS',
    createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
      socket.setNoDelay(true)
      serve(socket)
    }),
    { mode: 'implicit', verify: false },
  ],
]
console.log(`Node ${process.version}, ${LOGINS} sign-ins of each kind, ${WAY_MS} ms one way\n`)
console.log('| backend leg | cold, p50 ms | warm, p50 ms |\n| --- | ---: | ---: |')
for (const [name, server, tls] of backends) {
  const relay = relayTo(await listen(server))
  const port = await listen(relay)
  const cold = await measure(folder, port, tls, 0)
  const warm = await measure(folder, port, tls, 2)
  console.log(`| ${name} | ${cold.toFixed(1)} | ${warm.toFixed(1)} |`)
}
rmSync(folder, { recursive: true, force: true })
process.exit(0)

// SPDX-License-Identifier: MIT
// Memory of a session that is signed in and silent, and of a request that waits for its answer: how much the processes of a proxy
// grow, each time from a fresh start.
import { BASIC, client, withSink } from './measure.mjs'
import { startPeer } from './peers.mjs'

const SESSIONS = Number(process.env.BENCH_SESSIONS ?? 5000)
const SETTLE_MS = 3000
/** All sessions come from one address, and each poll has a backend connection. */
const LIMITS = `limits: { connections: ${2 * SESSIONS}, connectionsPerAddress: ${2 * SESSIONS} }\n`
const PEERS = ['nginx', 'portico']

async function kibOf(name, at, { row, port, tls }) {
  const peer = await startPeer(name, { ...at, limits: LIMITS })
  try {
    // One session first: what it makes the process load is not the session's.
    const authorization = name === 'portico' ? BASIC : ''
    const order = { row, port: peer.ports[port], tls, units: 0, authorization }
    const first = await client({ ...order, connections: 1 })
    await first.go()
    const before = peer.memory()
    const all = await client({ ...order, connections: SESSIONS })
    await all.go()
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const grown = peer.memory() - before
    all.stop()
    first.stop()
    return grown / SESSIONS / 1024
  } finally {
    await peer.stop()
  }
}

const STATES = [
  { name: 'IMAP session, plain, KiB', row: 'imap-idle', port: 'imap', tls: false },
  { name: 'IMAP session, TLS, KiB', row: 'imap-idle', port: 'imaps', tls: true },
  { name: 'HTTP poll, plain, KiB', row: 'http-poll', port: 'http', tls: false },
  { name: 'HTTP poll, TLS, KiB', row: 'http-poll', port: 'https', tls: true },
]

/** Lines as run.mjs prints them, of the rows that are wanted. */
export async function measureIdle(wanted) {
  const states = STATES.filter(({ row }) => wanted(row))
  const lines = []
  if (states.length === 0) return lines
  await withSink(async (at) => {
    for (const state of states) {
      const line = { row: state.name }
      for (const name of PEERS) line[name] = { text: (await kibOf(name, at, state)).toFixed(1) }
      lines.push(line)
    }
  })
  return lines
}

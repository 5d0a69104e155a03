// SPDX-License-Identifier: MIT
// Memory of a session that is signed in and silent: how much the processes of a proxy grow, each time from a fresh start.
import { client, withSink } from './measure.mjs'
import { startPeer } from './peers.mjs'

const SESSIONS = Number(process.env.BENCH_SESSIONS ?? 5000)
const SETTLE_MS = 3000
/** All sessions come from one address. */
const LIMITS = `limits: { connections: ${2 * SESSIONS}, connectionsPerAddress: ${2 * SESSIONS} }\n`
const PEERS = ['nginx', 'portico']

async function kibOf(name, at, tls) {
  const peer = await startPeer(name, { ...at, limits: LIMITS })
  try {
    // One session first: what it makes the process load is not the session's.
    const order = { row: 'imap-idle', port: peer.ports[tls ? 'imaps' : 'imap'], tls, units: 0 }
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

/** Lines as run.mjs prints them. */
export async function measureIdle() {
  const lines = []
  await withSink(async (at) => {
    for (const [row, tls] of [
      ['plain, KiB', false],
      ['TLS, KiB', true],
    ]) {
      const line = { row }
      for (const name of PEERS) line[name] = { text: (await kibOf(name, at, tls)).toFixed(1) }
      lines.push(line)
    }
  })
  return lines
}

// SPDX-License-Identifier: MIT
import { ask, startFlock, startFrontEnd } from './processes.mjs'

const KIB = 1024
/** Octets of the whole process for one connection that has not signed in. */
const BUDGETS = { none: 20 * KIB, implicit: 60 * KIB }
const WARM_UP = 200

/** What one connection costs before sign-in, as the growth of the process divided by the connections. */
export async function* measureIdle(stage) {
  const count = Number(process.env.MEASURE_CONNECTIONS ?? 10_000)
  for (const tls of ['none', 'implicit']) {
    for (const protocol of ['imap4', 'pop3', 'smtp', 'http']) {
      const each = await costOf(stage, protocol, tls, count)
      const budget = BUDGETS[tls]
      yield {
        name: `${count} ${protocol} connections before sign-in, ${tls === 'none' ? 'plain' : 'TLS'}`,
        measured: `${(each.rss / KIB).toFixed(1)} KiB each (heap ${(each.heapUsed / KIB).toFixed(1)}, outside ${(each.external / KIB).toFixed(1)})`,
        budget: `${budget / KIB} KiB each`,
        kept: each.rss <= budget,
      }
    }
  }
}

async function costOf(stage, protocol, tls, count) {
  // So many handshakes take a small machine more than a minute: the first to come shall still be there when the last is.
  const frontEnd = await startFrontEnd(stage, { preAuth: '15m' })
  const flock = startFlock()
  try {
    const order = { port: frontEnd.ports[`${protocol} ${tls}`], tls: tls === 'implicit', greets: protocol !== 'http' }
    // What is loaded and compiled at the first connections is not the price of a connection.
    await ask(flock, { ...order, count: WARM_UP })
    await ask(flock, 'leave')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = await ask(frontEnd.process, 'footprint')
    const { open, failed } = await ask(flock, { ...order, count })
    if (open !== count) throw new Error(`${protocol}, ${tls}: ${failed ?? `${open} connections instead of ${count}`}`)
    const after = await ask(frontEnd.process, 'footprint')
    if (after.sessions !== count) throw new Error(`${protocol}, ${tls}: ${after.sessions} sessions instead of ${count}`)
    const each = (key) => (after[key] - before[key]) / count
    return { rss: each('rss'), heapUsed: each('heapUsed'), external: each('external') }
  } finally {
    flock.disconnect()
    frontEnd.process.disconnect()
  }
}

// SPDX-License-Identifier: MIT
import { connect } from 'node:net'
import { ask, startFrontEnd } from './processes.mjs'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
/** What is dropped was read into memory first, which lives until the next collection. */
const MEANWHILE = 16
const PIECE = Buffer.alloc(65_536, 'x')
/** Above what a socket holds by itself on either side. */
const SENT_AT_MOST = 64 * MIB

/** Literals of IMAP4 that nobody can mean: refused before they are sent, or swallowed without being kept. */
export async function* measureLiterals(stage) {
  const frontEnd = await startFrontEnd(stage)
  try {
    const port = frontEnd.ports['imap4 none']
    // Both once beforehand, so that what is compiled then does not count.
    for (let n = 0; n < 10; n++) for (const warm of [announced, pushed]) await warm(port)
    const before = await ask(frontEnd.process, 'footprint')
    const answers = []
    for (let n = 0; n < 50; n++) answers.push(await announced(port))
    const after = await ask(frontEnd.process, 'footprint')
    const invited = answers.filter((text) => /^\+/m.test(text)).length
    const refused = answers.filter((text) => /^a1 BAD /m.test(text)).length
    yield {
      name: '`{1073741824}` announced, 50 times',
      measured: `${refused} refused, ${invited} invited, process +${mib(after.rss - before.rss)} MiB`,
      budget: 'no `+`, below 1 MiB',
      kept: refused === 50 && invited === 0 && after.rss - before.rss < MIB,
    }
    yield await measurePushed(frontEnd, port)
  } finally {
    frontEnd.process.disconnect()
  }
}

async function measurePushed(frontEnd, port) {
  const before = await ask(frontEnd.process, 'footprint')
  let most = before.rss
  const watch = setInterval(async () => {
    most = Math.max(most, (await ask(frontEnd.process, 'rss')).rss)
  }, 50)
  const results = []
  for (let n = 0; n < 10; n++) results.push(await pushed(port))
  clearInterval(watch)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const after = await ask(frontEnd.process, 'footprint')
  most = Math.max(most, after.rss)
  const closed = results.filter(({ closed }) => closed).length
  return {
    name: '`{1073741824+}` sent without waiting, 10 times',
    measured: `${closed} closed, process +${mib(most - before.rss)} MiB meanwhile, +${mib(after.rss - before.rss)} MiB afterwards`,
    budget: `closed, +${MEANWHILE} MiB meanwhile, +1 MiB afterwards`,
    kept: closed === results.length && most - before.rss <= MEANWHILE * MIB && after.rss - before.rss <= MIB,
  }
}

const mib = (octets) => (octets / MIB).toFixed(2)

function announced(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      if (said === '') socket.write(`a1 LOGIN alice {${GIB}}\r\n`)
      said += chunk
      if (/^(?:a1|\+) /m.test(said)) socket.destroy()
    })
    socket.on('close', () => resolve(said))
  })
}

/** Sends until the other side has had enough of it. */
function pushed(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let sent = 0
    const push = () => {
      while (!socket.destroyed && sent < SENT_AT_MOST) {
        sent += PIECE.length
        if (!socket.write(PIECE)) return
      }
      if (sent >= SENT_AT_MOST) socket.destroy()
    }
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(`a1 LOGIN alice {${GIB}+}\r\n`)
      push()
    })
    socket.resume()
    socket.on('drain', push)
    socket.on('close', () => resolve({ closed: sent < SENT_AT_MOST, sent }))
  })
}

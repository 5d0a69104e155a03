// SPDX-License-Identifier: MIT
// The client of the benchmark. Told a row, it does so many units over so many connections and says how many went wrong.
import { HTTP_ROWS } from './http-rows.mjs'
import { SMTP_ROWS } from './smtp-rows.mjs'
import { crlf, must, open } from './talk.mjs'

const MIB = 1024 * 1024
const OPENED_AT_ONCE = 16
const BLOCK = Buffer.alloc(MIB, 'y')

const tagged = (tag) => (text) => crlf(text) && new RegExp(`(^|\\n)${tag} `).test(text)

async function imapIn(port, tls, session) {
  const peer = await open(port, tls, session)
  must(await peer.ask(undefined, crlf), '* OK')
  must(await peer.ask('a LOGIN user secret\r\n', tagged('a')), 'a OK')
  return peer
}

/** A session to be resumed: what the server gives after its first reply. */
async function sessionOf(port) {
  const peer = await open(port, true)
  const session = new Promise((resolve) => peer.socket.once('session', resolve))
  await peer.ask(undefined, crlf)
  const given = await session
  peer.end()
  return given
}

/** A login that has to resume the session, or it is an error. */
async function resumedLogin({ port }, session) {
  const peer = await imapIn(port, true, session)
  if (!peer.socket.isSessionReused()) throw new Error('the session was not resumed')
  peer.end()
}

async function pop3Login({ port }) {
  const peer = await open(port, false)
  must(await peer.ask(undefined, crlf), '+OK')
  must(await peer.ask('USER user\r\n', crlf), '+OK')
  must(await peer.ask('PASS secret\r\n', crlf), '+OK')
  peer.end()
}

/** Each row: what one connection is (undefined: one for each unit), and what one unit on it is. */
const ROWS = {
  'imap-login': { unit: async ({ port, tls }) => (await imapIn(port, tls)).end() },
  'imap-resumed': { open: ({ port }) => sessionOf(port), unit: resumedLogin },
  'pop3-login': { unit: pop3Login },
  'imap-idle': { open: ({ port, tls }) => imapIn(port, tls), unit: async () => {} },
  'imap-noop': {
    open: ({ port, tls }) => imapIn(port, tls),
    unit: async (_, peer) => must(await peer.ask('b NOOP\r\n', tagged('b')), 'b OK'),
  },
  'imap-down': {
    open: ({ port, tls }) => imapIn(port, tls),
    unit: async (_, peer) => {
      await peer.drain(
        'c FETCH 1 BODY[]\r\n',
        MIB + `* 1 FETCH (BODY[] {${MIB}}\r\n`.length + ')\r\nc OK done\r\n'.length,
      )
    },
  },
  'imap-up': {
    open: ({ port, tls }) => imapIn(port, tls),
    unit: async (_, peer) => {
      peer.socket.write(`d APPEND INBOX {${MIB}+}\r\n`)
      peer.socket.write(BLOCK)
      must(await peer.ask('\r\n', tagged('d')), 'd OK')
    },
  },
  ...SMTP_ROWS,
  ...HTTP_ROWS,
}

process.once('message', async ({ row, port, tls, connections, units, authorization, signsIn, perSecond }) => {
  const plan = ROWS[row]
  const where = { port, tls, authorization, signsIn }
  const errors = []
  const peers = []
  try {
    while (peers.length < connections) {
      const some = Array.from({ length: Math.min(OPENED_AT_ONCE, connections - peers.length) }, () =>
        plan.open?.(where),
      )
      peers.push(...(await Promise.all(some)))
    }
  } catch (error) {
    errors.push(String(error))
  }
  process.send({ ready: true })
  await new Promise((resolve) => process.once('message', resolve))
  const began = process.hrtime.bigint()
  const took = perSecond === undefined ? await inTurn() : await atRate()
  const seconds = microsSince(began) / 1e6
  took.sort((a, b) => a - b)
  const of = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))]
  process.send({ done: true, seconds, p50: of(0.5), p99: of(0.99), errors: errors.length, first: errors[0] })
  // The connections stay until this process is stopped: idle ones are measured.
  process.once('disconnect', () => process.exit(0))

  /** Every connection does one unit after the other, until all are done. */
  async function inTurn() {
    const took = []
    let left = units
    const work = async (peer) => {
      while (left > 0) {
        left--
        const micros = await timed(peer, process.hrtime.bigint())
        if (micros === undefined) return
        took.push(micros)
      }
    }
    await Promise.all(peers.map(work))
    return took
  }

  /** So many a second, whether or not the ones before are done. The time of each counts from when it was due. */
  async function atRate() {
    const took = []
    const idle = [...peers]
    const due = []
    const running = new Set()
    const begin = () => {
      while (idle.length > 0 && due.length > 0) {
        const peer = idle.pop()
        const one = timed(peer, due.shift()).then((micros) => {
          running.delete(one)
          if (micros === undefined) return
          took.push(micros)
          idle.push(peer)
          begin()
        })
        running.add(one)
      }
    }
    const gap = BigInt(Math.round(1e9 / perSecond))
    const first = process.hrtime.bigint()
    for (let sent = 0; sent < units && errors.length === 0; ) {
      const now = process.hrtime.bigint()
      for (; sent < units && first + gap * BigInt(sent) <= now; sent++) due.push(first + gap * BigInt(sent))
      begin()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    while (running.size > 0) await Promise.all(running)
    return took
  }

  /** One unit: microseconds since `since`, undefined when it went wrong. */
  async function timed(peer, since) {
    try {
      await plan.unit(where, peer)
      return microsSince(since)
    } catch (error) {
      errors.push(String(error))
      return undefined
    }
  }
})

const microsSince = (start) => Number(process.hrtime.bigint() - start) / 1000

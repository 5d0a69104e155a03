// SPDX-License-Identifier: MIT
// The client of the benchmark. Told a row, it does so many units over so many connections and says how many went wrong.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const MIB = 1024 * 1024
const OPENED_AT_ONCE = 16
const BLOCK = Buffer.alloc(MIB, 'y')
const MESSAGE = Buffer.from(
  `From: a@bench.test\r\nTo: b@bench.test\r\nSubject: bench\r\nMessage-ID: <1@bench.test>\r\n\r\n${'All work and no play makes a dull mail.\r\n'.repeat(97)}.\r\n`,
)
const PLAIN = Buffer.from('\0user\0secret').toString('base64')

/** A connection that can be asked for replies: `until(test)` resolves with all text up to the reply that ends the exchange. */
function open(port, tls, session) {
  return new Promise((resolve, reject) => {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3', session })
      : connect({ port, host: '127.0.0.1' })
    socket.setNoDelay(true)
    let waiting
    let held = ''
    const fail = (error) => {
      socket.destroy()
      if (waiting === undefined) reject(error)
      else waiting.reject(error)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('closed')))
    socket.on('data', (chunk) => {
      if (waiting?.bytes !== undefined) {
        waiting.seen += chunk.length
        if (waiting.seen < waiting.bytes) return
        const { resolve: done } = waiting
        waiting = undefined
        done('')
        return
      }
      held += chunk.toString('latin1')
      if (waiting === undefined || !waiting.test(held)) return
      const { resolve: done } = waiting
      const text = held
      held = ''
      waiting = undefined
      done(text)
    })
    const peer = {
      socket,
      ask(bytes, test) {
        if (bytes !== undefined) socket.write(bytes)
        return new Promise((done, bad) => {
          if (held !== '' && test(held)) {
            const text = held
            held = ''
            done(text)
          } else waiting = { test, resolve: done, reject: bad }
        })
      },
      /** Counts octets instead of keeping them. */
      drain(bytes, count) {
        return new Promise((done, bad) => {
          waiting = { bytes: count, seen: 0, resolve: done, reject: bad }
          socket.write(bytes)
        })
      },
      end() {
        waiting = { test: () => false, resolve() {}, reject() {} }
        socket.destroy()
      },
    }
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve(peer))
  })
}

const crlf = (text) => text.endsWith('\r\n')
const tagged = (tag) => (text) => crlf(text) && new RegExp(`(^|\\n)${tag} `).test(text)

function must(text, wanted) {
  if (!text.includes(wanted)) throw new Error(`expected ${wanted}, got ${text.slice(0, 200)}`)
}

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

async function smtpIn(port) {
  const peer = await open(port, false)
  must(await peer.ask(undefined, crlf), '220')
  const last = (text) => crlf(text) && /(^|\n)\d{3} [^\n]*\n$/.test(text)
  must(await peer.ask('EHLO bench\r\n', last), '250')
  must(await peer.ask(`AUTH PLAIN ${PLAIN}\r\n`, last), '235')
  return { peer, last }
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
  'smtp-message': {
    unit: async ({ port }) => {
      const { peer, last } = await smtpIn(port)
      must(await peer.ask('MAIL FROM:<a@bench.test>\r\n', last), '250')
      must(await peer.ask('RCPT TO:<b@bench.test>\r\n', last), '250')
      must(await peer.ask('DATA\r\n', last), '354')
      must(await peer.ask(MESSAGE, last), '250')
      must(await peer.ask('QUIT\r\n', last), '221')
      peer.end()
    },
  },
  'http-get': {
    open: ({ port, tls }) => open(port, tls),
    unit: async ({ authorization }, peer) => {
      const request = `GET /page HTTP/1.1\r\nHost: bench.test\r\n${authorization}\r\n`
      const text = await peer.ask(request, (got) => got.length >= 1024 && got.endsWith('p'))
      must(text, '200 OK')
    },
  },
}

process.once('message', async ({ row, port, tls, connections, units, authorization }) => {
  const plan = ROWS[row]
  const where = { port, tls, authorization }
  let left = units
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
  const took = []
  const began = process.hrtime.bigint()
  await Promise.all(
    peers.map(async (peer) => {
      while (left > 0) {
        left--
        const start = process.hrtime.bigint()
        try {
          await plan.unit(where, peer)
          took.push(Number(process.hrtime.bigint() - start) / 1000)
        } catch (error) {
          errors.push(String(error))
          return
        }
      }
    }),
  )
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  took.sort((a, b) => a - b)
  process.send({ done: true, seconds, p50: took[took.length >> 1], errors: errors.length, first: errors[0] })
  // The connections stay until this process is stopped: idle ones are measured.
  process.once('disconnect', () => process.exit(0))
})

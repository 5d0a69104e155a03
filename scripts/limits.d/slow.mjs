// SPDX-License-Identifier: MIT
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startFrontEnd } from './processes.mjs'

const SECOND = 1_000
const GREETED = /\r\n$/
/**
 * A client that sends one octet a second in one phase of a session. `before`: what it says at once first, each answered.
 * `say`: what it says then without an answer. `drip`: what then comes slowly; it begins anew when it is over.
 */
const PHASES = [
  { name: 'IMAP4, says nothing after the greeting', port: 'imap4 none', before: [''], drip: '' },
  { name: 'IMAP4, a command line', port: 'imap4 none', before: [''], drip: `a1 LOGIN ${'x'.repeat(500)}` },
  { name: 'IMAP4, command after command', port: 'imap4 none', before: [''], drip: 'a NOOP\r\n' },
  { name: 'IMAP4, a literal', port: 'imap4 none', before: ['', 'a1 LOGIN {4000}\r\n'], drip: 'x'.repeat(4_000) },
  {
    name: 'IMAP4, a literal to be swallowed',
    port: 'imap4 none',
    before: [''],
    say: 'a1 NOOP {60000+}\r\n',
    drip: 'x',
  },
  { name: 'IMAP4, a SASL answer', port: 'imap4 none', before: ['', 'a1 AUTHENTICATE PLAIN\r\n'], drip: 'QUFB' },
  {
    name: 'IMAP4, the TLS handshake',
    port: 'imap4 implicit',
    before: [],
    drip: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03',
  },
  {
    name: 'IMAP4 within TLS, a command line',
    port: 'imap4 implicit',
    tls: true,
    before: [''],
    drip: 'a1 LOGIN xxxxxxxx',
  },
  { name: 'POP3, a command line', port: 'pop3 none', before: [''], drip: `USER ${'x'.repeat(500)}` },
  { name: 'POP3, command after command', port: 'pop3 none', before: [''], drip: 'CAPA\r\n' },
  { name: 'POP3, a SASL answer', port: 'pop3 none', before: ['', 'AUTH PLAIN\r\n'], drip: 'QUFB' },
  { name: 'SMTP, a command line', port: 'smtp none', before: [''], drip: `EHLO ${'x'.repeat(500)}` },
  { name: 'SMTP, command after command, no mail', port: 'smtp none', before: ['', 'EHLO x\r\n'], drip: 'NOOP\r\n' },
  { name: 'SMTP, a SASL answer', port: 'smtp none', before: ['', 'EHLO x\r\n', 'AUTH PLAIN\r\n'], drip: 'QUFB' },
  {
    name: 'SMTP, a sender without a recipient',
    port: 'smtp inbound',
    before: ['', 'EHLO x\r\n', 'MAIL FROM:<a@far.example>\r\n'],
    drip: 'NOOP\r\n',
  },
  { name: 'HTTP, says nothing', port: 'http none', before: [], drip: '' },
  { name: 'HTTP, a head', port: 'http none', before: [], drip: `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(500)}` },
  {
    name: 'HTTP, the body of a refused request',
    port: 'http none',
    before: [],
    say: 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n',
    drip: 'x',
  },
  { name: 'HTTP, the TLS handshake', port: 'http implicit', before: [], drip: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03' },
]
/** The time for strangers, and what the last word and the precision of timers may add. */
const LONGEST = 60 * SECOND + 4 * SECOND

/** All of them at once, in real time, against the default limits. */
export async function* measureSlow(stage) {
  const frontEnd = await startFrontEnd(stage)
  try {
    const lives = await Promise.all(PHASES.map((phase) => live(frontEnd.ports[phase.port], phase)))
    for (const [index, { seconds }] of lives.entries()) {
      yield {
        name: `one octet a second: ${PHASES[index].name}`,
        measured: `closed after ${seconds.toFixed(0)} s`,
        budget: `${LONGEST / SECOND} s`,
        kept: seconds * SECOND <= LONGEST,
      }
    }
  } finally {
    frontEnd.process.disconnect()
  }
}

function live(port, { before, say = '', drip, tls }) {
  return new Promise((resolve) => {
    const began = performance.now()
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false }
    const socket = tls ? connectTls(options) : connect(options)
    const words = [...before]
    let timer
    const done = () => {
      clearInterval(timer)
      clearTimeout(limit)
      socket.destroy()
      resolve({ seconds: (performance.now() - began) / SECOND })
    }
    const limit = setTimeout(done, 2 * LONGEST)
    let at = 0
    const dribble = () => {
      if (drip === '') return
      socket.write(Buffer.from(drip.charAt(at++ % drip.length), 'latin1'))
    }
    const next = () => {
      const word = words.shift()
      if (word === undefined) {
        socket.write(say)
        timer ??= setInterval(dribble, SECOND)
      } else if (word !== '') socket.write(word)
    }
    let said = ''
    socket.on('error', done)
    socket.on('close', done)
    socket.on('end', done)
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (timer !== undefined || !GREETED.test(said)) return
      said = ''
      next()
    })
    if (before.length === 0) next()
    else words.shift()
  })
}

// SPDX-License-Identifier: MIT
// The SMTP units of the benchmark: what a submitting client says, a reply awaited for each command.
import { crlf, must, open } from './talk.mjs'

const PLAIN = Buffer.from('\0user\0secret').toString('base64')
const LINE = 'All work and no play makes a dull mail.\r\n'
const HEAD = 'From: a@bench.test\r\nTo: b@bench.test\r\nSubject: bench\r\nMessage-ID: <1@bench.test>\r\n\r\n'
const SMALL = Buffer.from(HEAD + LINE.repeat(97))
const LARGE = Buffer.from(HEAD + LINE.repeat(Math.ceil((1024 * 1024) / LINE.length)))
const END = Buffer.from('.\r\n')
const PER_CONNECTION = 20

const asData = (message) => Buffer.concat([message, END])
const asChunk = (message) => Buffer.concat([Buffer.from(`BDAT ${message.length} LAST\r\n`), message])
const MESSAGES = {
  small: { data: asData(SMALL), chunk: asChunk(SMALL) },
  large: { data: asData(LARGE), chunk: asChunk(LARGE) },
}

const last = (text) => crlf(text) && /(^|\n)\d{3} [^\n]*\n$/.test(text)

/** A session that has signed in, where the peer signs people in. */
async function enter({ port, tls, signsIn }) {
  const peer = await open(port, tls)
  must(await peer.ask(undefined, last), '220')
  const offers = await peer.ask('EHLO client.bench.test\r\n', last)
  must(offers, '250')
  if (signsIn) must(await peer.ask(`AUTH PLAIN ${PLAIN}\r\n`, last), '235')
  return Object.assign(peer, { takesChunks: /^250[- ]CHUNKING\r$/m.test(offers) })
}

/** One message. By BDAT only where it is offered: who does not offer it is measured with DATA in its place. */
async function send(peer, message, byChunk) {
  must(await peer.ask('MAIL FROM:<a@bench.test>\r\n', last), '250')
  must(await peer.ask('RCPT TO:<b@bench.test>\r\n', last), '250')
  if (byChunk && peer.takesChunks) return must(await peer.ask(message.chunk, last), '250')
  must(await peer.ask('DATA\r\n', last), '354')
  must(await peer.ask(message.data, last), '250')
}

async function leave(peer) {
  must(await peer.ask('QUIT\r\n', last), '221')
  peer.end()
}

/** A connection for so many messages, then another one. */
const many = (message, byChunk) => ({
  open: async () => ({ peer: undefined, left: 0 }),
  unit: async (where, held) => {
    if (held.left === 0) {
      held.peer = await enter(where)
      held.left = PER_CONNECTION
    }
    await send(held.peer, message, byChunk)
    held.left -= 1
    if (held.left === 0) await leave(held.peer)
  },
})

export const SMTP_ROWS = {
  'smtp-message': {
    unit: async (where) => {
      const peer = await enter(where)
      await send(peer, MESSAGES.small, false)
      await leave(peer)
    },
  },
  'smtp-many': many(MESSAGES.small, false),
  'smtp-large': many(MESSAGES.large, false),
  'bdat-many': many(MESSAGES.small, true),
  'bdat-large': many(MESSAGES.large, true),
  /** For the fixed rate: connections are there before the first message, and stay. */
  'smtp-rate': { open: enter, unit: async (_, peer) => send(peer, MESSAGES.small, false) },
}

// SPDX-License-Identifier: MIT
// Mailbox servers that know just enough words, and go wrong in one way.
import { createServer } from 'node:net'

const BIG = Buffer.alloc(512 * 1024, 'x')
const GREETINGS = {
  imap4: '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID] ready\r\n',
  pop3: '+OK ready\r\n',
  smtp: '220 mta ESMTP\r\n',
  http: '',
}

/** Answers one line; `undefined` drops the connection. */
const ANSWERS = {
  imap4(line, socket) {
    const [tag = '*', verb = ''] = line.split(' ')
    switch (verb.toUpperCase()) {
      case 'ID':
        return `* ID NIL\r\n${tag} OK done\r\n`
      case 'AUTHENTICATE':
        return `${tag} OK [CAPABILITY IMAP4rev1] in\r\n`
      case 'FETCH':
        socket.write(`* 1 FETCH (BODY[] {${BIG.length}}\r\n`)
        socket.write(BIG)
        return `)\r\n${tag} OK done\r\n`
      case 'LOGOUT':
        socket.end(`* BYE\r\n${tag} OK bye\r\n`)
        return ''
      case 'DIE':
        return undefined
      default:
        return `${tag} OK done\r\n`
    }
  },
  pop3(line, socket) {
    if (/^CAPA/i.test(line)) return '+OK\r\nSASL PLAIN\r\nXCLIENT\r\n.\r\n'
    if (/^RETR/i.test(line)) {
      socket.write('+OK\r\n')
      socket.write(BIG)
      return '\r\n.\r\n'
    }
    if (/^QUIT/i.test(line)) {
      socket.end('+OK bye\r\n')
      return ''
    }
    return /^DIE/i.test(line) ? undefined : '+OK\r\n'
  },
  smtp(line, socket, state) {
    if (state.data) {
      state.data = line !== '.'
      return state.data ? '' : '250 2.0.0 taken\r\n'
    }
    if (/^EHLO/i.test(line))
      return '250-mta\r\n250-AUTH PLAIN\r\n250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN\r\n250 8BITMIME\r\n'
    if (/^XCLIENT/i.test(line)) return '220 mta\r\n'
    if (/^AUTH/i.test(line)) return '235 2.7.0 in\r\n'
    if (/^QUIT/i.test(line)) {
      socket.end('221 2.0.0 bye\r\n')
      return ''
    }
    state.data = /^DATA/i.test(line)
    return state.data ? '354 go\r\n' : '250 2.0.0 ok\r\n'
  },
  http(line, socket, state) {
    if (line !== '') {
      if (/^GET \/big/.test(line)) state.big = true
      if (/^GET \/die/.test(line)) state.dies = true
      return ''
    }
    if (state.dies) return undefined
    if (!state.big) return 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    state.big = false
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`)
    socket.write(BIG)
    return ''
  },
}

/** What a backend does wrong, by the name of its users. */
export const FAULTS = ['good', 'hangs', 'resets', 'babbles']

/** Starts one server for each protocol and fault: `{ ports: { good: { imap4: 1143, … }, … }, open() }`. */
export async function startBackends() {
  const open = new Set()
  const ports = {}
  for (const fault of FAULTS) {
    ports[fault] = {}
    for (const protocol of Object.keys(ANSWERS)) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        open.add(socket)
        socket.on('close', () => open.delete(socket))
        socket.on('error', () => undefined)
        socket.on('end', () => socket.end())
        behave(socket, protocol, fault)
      })
      await new Promise((resolve) => server.listen(0, '127.0.0.1', 1_024, resolve))
      ports[fault][protocol] = server.address().port
    }
  }
  return { ports, open: () => open.size }
}

function behave(socket, protocol, fault) {
  if (fault === 'resets') return void setImmediate(() => socket.resetAndDestroy())
  if (fault === 'hangs') return void socket.resume()
  if (fault === 'babbles') return void socket.resume().write('\0\xff%%%\r\n'.repeat(100))
  const state = {}
  let held = ''
  socket.write(GREETINGS[protocol])
  socket.on('data', (chunk) => {
    held += chunk.toString('latin1')
    for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
      const answer = ANSWERS[protocol](held.slice(0, end), socket, state)
      held = held.slice(end + 2)
      if (answer === undefined) return void socket.destroy()
      if (answer !== '' && !socket.writableEnded) socket.write(answer)
    }
  })
}

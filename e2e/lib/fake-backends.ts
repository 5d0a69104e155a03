// SPDX-License-Identifier: MIT
import { createServer, type Server, type Socket } from 'node:net'

export type ProtocolName = 'imap4' | 'pop3' | 'smtp' | 'http'

/** What a backend does wrong. `none`: nothing; `dies`: everything is right until the client is in. */
export type Fault = 'none' | 'refuses' | 'resets' | 'hangs' | 'closes' | 'garbage' | 'dies'

export const PROTOCOLS: readonly ProtocolName[] = ['imap4', 'pop3', 'smtp', 'http']
export const FAULTS: readonly Fault[] = ['none', 'refuses', 'resets', 'hangs', 'closes', 'garbage', 'dies']

/** A small server that knows the right words of one protocol, with one fault. */
export interface FakeBackend {
  readonly port: number
  /** Connections open now. */
  readonly open: number
  close(): Promise<void>
}

const GREETINGS: Readonly<Record<ProtocolName, string>> = {
  imap4: '* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID] ready\r\n',
  pop3: '+OK ready\r\n',
  smtp: '220 mta.test.lan ESMTP\r\n',
  http: '',
}

/** The server closes after these (RFC 9051 section 6.1.3, RFC 1939 section 4, RFC 5321 section 4.1.1.10). */
const GOODBYE = /^(?:\S+ LOGOUT|QUIT)$/i

/** The answer to one line; undefined drops the connection. */
type Answer = (line: string, state: { inData: boolean; inHead: boolean }, dies: boolean) => string | undefined

const ANSWERS: Readonly<Record<ProtocolName, Answer>> = {
  imap4(line, _state, dies) {
    const [tag = '*', verb = ''] = line.split(' ')
    if (/^(?:SELECT|EXAMINE)$/i.test(verb) && dies) return undefined
    if (/^ID$/i.test(verb)) return `* ID NIL\r\n${tag} OK done\r\n`
    if (/^CAPABILITY$/i.test(verb)) return `* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID\r\n${tag} OK done\r\n`
    if (/^LOGOUT$/i.test(verb)) return `* BYE see you\r\n${tag} OK done\r\n`
    return `${tag} OK ${verb} done\r\n`
  },
  pop3(line, _state, dies) {
    if (/^CAPA/i.test(line)) return '+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n'
    if (/^STAT/i.test(line)) return dies ? undefined : '+OK 0 0\r\n'
    return '+OK done\r\n'
  },
  smtp(line, state, dies) {
    if (state.inData) {
      if (line !== '.') return ''
      state.inData = false
      return dies ? undefined : '250 2.0.0 queued\r\n'
    }
    if (/^EHLO/i.test(line)) return '250-mta.test.lan\r\n250-AUTH PLAIN\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n'
    if (/^AUTH/i.test(line)) return '235 2.7.0 in\r\n'
    if (/^QUIT/i.test(line)) return '221 2.0.0 bye\r\n'
    state.inData = /^DATA/i.test(line)
    return state.inData ? '354 go on\r\n' : '250 2.0.0 fine\r\n'
  },
  http(line, _state, dies) {
    if (line !== '') return ''
    return dies ? undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
  },
}

/** Binary noise without a line end for a while, then one: neither a greeting nor an answer of any protocol. */
const GARBAGE = Buffer.concat([
  Buffer.from([0, 255, 254, 22, 3, 1]),
  Buffer.alloc(200, 0x80),
  Buffer.from('\r\n\r\n%%%\r\n'),
])

export async function startFakeBackend(protocol: ProtocolName, fault: Fault): Promise<FakeBackend> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    misbehave(socket, protocol, fault)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as { port: number }).port
  const close = (): Promise<void> => closeServer(server, sockets)
  if (fault === 'refuses') await close()
  return {
    port,
    get open() {
      return sockets.size
    },
    close,
  }
}

function misbehave(socket: Socket, protocol: ProtocolName, fault: Fault): void {
  if (fault === 'resets') socket.resetAndDestroy()
  else if (fault === 'hangs') socket.resume()
  else if (fault === 'garbage') socket.resume().write(GARBAGE)
  // HTTP has no greeting: there the fault is a close at the request.
  else if (fault === 'closes') {
    if (protocol === 'http') socket.on('data', () => socket.end())
    else socket.resume().end(GREETINGS[protocol])
  } else behave(socket, protocol, fault === 'dies')
}

function behave(socket: Socket, protocol: ProtocolName, dies: boolean): void {
  const state = { inData: false, inHead: false }
  let received = ''
  socket.write(GREETINGS[protocol])
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    for (let end = received.indexOf('\r\n'); end >= 0; end = received.indexOf('\r\n')) {
      const line = received.slice(0, end)
      const answer = ANSWERS[protocol](line, state, dies)
      received = received.slice(end + 2)
      if (answer === undefined) {
        socket.destroy()
        return
      }
      socket.write(answer)
      if (GOODBYE.test(line)) socket.end()
    }
  })
}

async function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of sockets) socket.destroy()
  await closed
}

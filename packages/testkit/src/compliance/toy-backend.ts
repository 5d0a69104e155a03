// SPDX-License-Identifier: MIT
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Backend, BackendError, NEVER } from '@portico/base'
import { converse } from '@portico/net'
import type { BackendDriver } from '@portico/pool'

/**
 * A backend with a session per connection: `LOGIN name` works once, `WHO n` answers `name n`, `RESET` forgets the name and answers
 * `OK`, `HANG` answers nothing, `QUIT` hangs up.
 */
export interface ToyBackend extends AsyncDisposable {
  readonly port: number
  /** Connections so far, and now. */
  readonly accepted: number
  readonly open: number
  /** Everything that came on each connection, one octet per character. */
  readonly received: readonly string[]
  /** Greets with this; undefined greets nobody. */
  greeting: string | undefined
  /** What RESET answers, and how much later; `OK` confirms. */
  resetAnswer: string
  resetMs: number
  /** For each connection its lines, and what RESET was answered (`= OK`), in the order in which they came and went. */
  readonly history: readonly (readonly string[])[]
  /** Sends something unasked to every connection. */
  shout(text: string): void
  hangUp(): void
}

export async function createToyBackend(): Promise<ToyBackend> {
  const sockets = new Set<Socket>()
  const server = createServer()
  const toy = {
    greeting: 'HELLO' as string | undefined,
    resetAnswer: 'OK',
    resetMs: 0,
    history: [] as string[][],
    accepted: 0,
    received: [] as string[],
    port: 0,
    get open() {
      return sockets.size
    },
    shout(text: string) {
      for (const socket of sockets) socket.write(text)
    },
    hangUp() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      toy.hangUp()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  server.on('connection', (socket) => {
    const index = toy.accepted
    toy.accepted += 1
    toy.received.push('')
    const history: string[] = []
    toy.history.push(history)
    socket.on('data', (bytes) => {
      toy.received[index] += bytes.toString('latin1')
    })
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    if (toy.greeting !== undefined) socket.write(`${toy.greeting}\n`)
    serve(socket, toy, history)
  })
  toy.port = await listen(server)
  return toy
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function serve(socket: Socket, toy: Pick<ToyBackend, 'resetAnswer' | 'resetMs'>, history: string[]): void {
  let user = ''
  let held = ''
  socket.on('data', (bytes) => {
    held += bytes.toString('latin1')
    const lines = held.split('\n')
    held = lines.pop() ?? ''
    for (const line of lines) {
      history.push(line)
      const [word, argument = ''] = line.split(' ')
      if (word === 'LOGIN') {
        socket.write(user === '' ? 'OK\n' : 'NO\n')
        user ||= argument
      } else if (word === 'WHO') socket.write(`${user} ${argument}\n`)
      else if (word === 'QUIT') socket.end()
      else if (word === 'RESET') {
        const { resetAnswer: answer } = toy
        const done = () => {
          if (answer === 'OK') user = ''
          history.push(`= ${answer}`)
          socket.write(`${answer}\n`)
        }
        if (toy.resetMs === 0) done()
        else setTimeout(done, toy.resetMs)
      }
    }
  })
}

/** The toy as the pool knows it. */
export function toyBackendAt(port: number): Backend {
  return {
    id: `toys/toy/127.0.0.1:${port}`,
    group: 'toys',
    protocol: 'toy',
    address: { kind: 'tcp', host: '127.0.0.1', port },
    tls: { mode: 'none', verify: true },
    identity: { kind: 'none' },
    cleartextPasswords: 'loopback',
    path: '',
  }
}

/** How connections to the toy are prepared and reset. */
export function toyDriver(reuse: BackendDriver['reuse']): BackendDriver<string> {
  return {
    protocol: 'toy',
    reuse,
    async prepare(leg, backend, signal) {
      const read = await converse(leg).readLine(100, signal)
      if (read.kind === 'line' && read.bytes.toString() === 'HELLO') return { kind: 'ready', greeting: 'HELLO' }
      const code =
        read.kind === 'line'
          ? 'garbage'
          : read.kind === 'cancelled'
            ? 'cancelled'
            : leg.state === 'closed'
              ? 'timed-out'
              : 'closed'
      return { kind: 'failed', error: new BackendError({ code, backend: backend.id, phase: 'greeting' }) }
    },
    async reset(leg) {
      const dialogue = converse(leg)
      leg.writeText('RESET\n')
      const read = await dialogue.readLine(100, NEVER)
      return read.kind === 'line' && read.bytes.toString() === 'OK'
    },
  }
}

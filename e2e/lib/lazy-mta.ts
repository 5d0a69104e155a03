// SPDX-License-Identifier: MIT
import { createServer, type Socket } from 'node:net'

/** A server that takes whatever comes, counts it, and does with a message what it is told. */
export interface LazyMta extends AsyncDisposable {
  readonly port: number
  /** Octets of messages that it has read. */
  readonly read: number
  /** Messages that it has said 250 to. */
  readonly accepted: number
  /** So many octets into a message it stops reading, until `goOn`. */
  stopAfter(octets: number): void
  goOn(): void
  /** So many octets into a message it drops the connection. */
  dropAfter(octets: number): void
}

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-lazy.test.lan\r\n250-PIPELINING\r\n250 8BITMIME\r\n',
  DATA: '354 go on\r\n',
  QUIT: '221 2.0.0 bye\r\n',
}
const END = Buffer.from('\r\n.\r\n')

export async function startLazyMta(): Promise<LazyMta> {
  const state = { read: 0, accepted: 0, stopAt: Number.POSITIVE_INFINITY, dropAt: Number.POSITIVE_INFINITY }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    serve(socket, state)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    get read() {
      return state.read
    },
    get accepted() {
      return state.accepted
    },
    stopAfter(octets) {
      state.stopAt = state.read + octets
    },
    goOn() {
      state.stopAt = Number.POSITIVE_INFINITY
      for (const socket of sockets) socket.resume()
    },
    dropAfter(octets) {
      state.dropAt = state.read + octets
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function serve(socket: Socket, state: { read: number; accepted: number; stopAt: number; dropAt: number }): void {
  let inMessage = false
  /** A command that is not whole yet; within a message the octets that may begin its end. */
  let held: Buffer = Buffer.alloc(0)
  const command = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase()
    socket.write(REPLIES[verb] ?? '250 2.0.0 fine\r\n')
    inMessage = verb === 'DATA'
    if (verb === 'QUIT') socket.end()
  }
  socket.write('220 lazy.test.lan ESMTP\r\n')
  socket.on('data', (chunk) => {
    if (inMessage) state.read += chunk.length
    let rest: Buffer = Buffer.concat([held, chunk])
    for (;;) {
      const end = inMessage ? rest.indexOf(END) : rest.indexOf('\r\n')
      if (end < 0) break
      if (inMessage) {
        inMessage = false
        state.accepted += 1
        socket.write('250 2.0.0 queued\r\n')
        rest = rest.subarray(end + END.length)
      } else {
        command(rest.toString('latin1', 0, end))
        rest = rest.subarray(end + 2)
      }
    }
    held = inMessage ? rest.subarray(-(END.length - 1)) : rest
    if (state.read >= state.dropAt) {
      state.dropAt = Number.POSITIVE_INFINITY
      socket.destroy()
    } else if (state.read >= state.stopAt) socket.pause()
  })
}

// SPDX-License-Identifier: MIT
import { createServer, type Socket } from 'node:net'

/**
 * As poor a server as there may be: CR, LF and CRLF each end a line for it, NUL is not there, and the end of a message is a line
 * with a dot, whatever the lines around it end with.
 */
export interface PoorMta extends AsyncDisposable {
  readonly port: number
  /** What it took to be messages, in the order in which they came. */
  readonly messages: readonly string[]
}

export async function startPoorMta(): Promise<PoorMta> {
  const messages: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    serve(socket, messages)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    messages,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function serve(socket: Socket, messages: string[]): void {
  let message: string[] | undefined
  const take = (line: string): void => {
    if (message === undefined) {
      const verb = line.slice(0, 4).toUpperCase()
      socket.write(REPLIES[verb] ?? '250 2.0.0 fine\r\n')
      if (verb === 'DATA') message = []
      if (verb === 'QUIT') socket.end()
    } else if (line === '.') {
      messages.push(message.join('\n'))
      message = undefined
      socket.write('250 2.0.0 queued\r\n')
    } else message.push(line.replace(/^\./, ''))
  }
  let received = ''
  socket.write('220 poor.test.lan ESMTP\r\n')
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1').replaceAll('\0', '')
    // A CR that came last may have its LF behind it.
    const lines = received.split(/\r\n|\n|\r(?!$)/)
    received = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-poor.test.lan\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n',
  DATA: '354 go on\r\n',
  QUIT: '221 2.0.0 bye\r\n',
}

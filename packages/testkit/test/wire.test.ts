// SPDX-License-Identifier: MIT
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { PlayedBackend } from '../src/transcript/backends.js'
import { Wire } from '../src/transcript/channel.js'
import { parseTranscript } from '../src/transcript/parse.js'
import { perform } from '../src/transcript/perform.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function listening(onClient: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, onClient)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Both ends of one connection. */
async function pair(): Promise<{ client: Wire; server: Wire }> {
  let arrived: (socket: Socket) => void = () => undefined
  const arrival = new Promise<Socket>((resolve) => {
    arrived = resolve
  })
  const port = await listening((socket) => arrived(socket))
  const client = await Wire.connect(port)
  const server = new Wire(await arrival)
  closing.push(
    () => client.destroy(),
    () => server.destroy(),
  )
  return { client, server }
}

describe('a TLS connection', () => {
  // A peer that may stay half open sees `closed` without `ended` before it only after RST.
  test.each([
    ['reset reaches the peer as RST', (wire: Wire) => wire.reset(), 'satisfied'],
    ['finish reaches the peer as an end', (wire: Wire) => wire.fin(), 'ended'],
  ] as const)('%s', async (_label, act, seen) => {
    const { client, server } = await pair()
    await Promise.all([client.tlsClient(), server.tlsServer()])
    await client.send('hello\r\n', { kind: 'whole' })
    expect(await server.until(() => server.received === 'hello\r\n', 3_000)).toBe('satisfied')
    act(client)
    expect(await server.until(() => server.closed, 3_000)).toBe(seen)
  })
})

describe('a connection whose peer has finished', () => {
  test('is spoken on at once when the transcript knows of the end', async () => {
    const backend = await PlayedBackend.listen()
    closing.push(() => backend.close())
    const port = await listening((client) => {
      const onward = connect({ host: '127.0.0.1', port: backend.port, allowHalfOpen: true })
      client.on('error', () => undefined)
      onward.on('error', () => undefined)
      client.pipe(onward)
      onward.pipe(client)
      closing.push(
        () => client.destroy(),
        () => onward.destroy(),
      )
    })
    const transcript = parseTranscript(
      'half',
      '# half\n\nC: bye\n@fin C\nP: bye\n@eof P\nB: one\nB: two\n@fin B\nS: one\nS: two\n@eof S',
    )
    const began = performance.now()
    await perform(transcript, 'whole lines', {
      port,
      implicitTls: false,
      backends: new Map([[1, backend]]),
      backendTls: 'none',
      clock: undefined,
      drain: () => undefined,
    })
    expect(performance.now() - began).toBeLessThan(2_500)
  })
})

test('@drain begins draining, and the transcript goes on', async () => {
  let drain: (() => void) | undefined
  const port = await listening((client) => {
    client.on('error', () => undefined)
    client.write('hello\r\n')
    drain = () => client.end('goodbye\r\n')
    closing.push(() => client.destroy())
  })
  await perform(parseTranscript('drain', '# drain\n\nS: hello\n@drain\nS: goodbye\n@eof S'), 'whole lines', {
    port,
    implicitTls: false,
    backends: new Map(),
    backendTls: 'none',
    clock: undefined,
    drain: () => drain?.(),
  })
})

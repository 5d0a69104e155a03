// SPDX-License-Identifier: MIT
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { PlayedBackend } from '../src/transcript/backends.js'
import { parseTranscript } from '../src/transcript/parse.js'
import { perform, type Variant } from '../src/transcript/perform.js'

const VARIANTS: Variant[] = ['whole lines', 'one-byte writes', 'one write']
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A front door without any manners: joins each client to the first backend. */
async function joiner(onClient: (client: Socket, backendPort: number) => void) {
  const backend = await PlayedBackend.listen()
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined)
    closing.push(() => client.destroy())
    onClient(client, backend.port)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () => server.close(),
    () => backend.close(),
  )
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const backends = new Map([[1, backend]])
  return { port, implicitTls: false, backends, backendTls: 'none' as const, clock: undefined, drain: () => undefined }
}

function pipeThrough(client: Socket, port: number): void {
  const backend = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  backend.on('error', () => client.resetAndDestroy())
  client.pipe(backend)
  backend.pipe(client)
}

const transcriptOf = (body: string) => parseTranscript('test', `# test\n\n${body}`)

describe.each(VARIANTS)('%s', (variant) => {
  test('a conversation that goes as written', async () => {
    const scene = await joiner(pipeThrough)
    const text =
      'B: * OK ready\nS: * OK $*\nC: a1 ONE\nC: a2 TWO\\\nP: $tag ONE\nP: a2 TWO\\\nB: $tag OK\nS: a1 OK\n@eof B\n@eof C\n@fin C\n@eof P'
    await perform(transcriptOf(text), variant, scene)
  })

  test('another line than expected', async () => {
    const scene = await joiner(pipeThrough)
    const failing = perform(transcriptOf('B: * OK ready\nS: * BYE $*'), variant, scene)
    await expect(failing).rejects.toThrow(
      /test:4 .*something else came\n {2}expected: \* BYE \$\*\n {2}actual: {3}\* OK ready/,
    )
  })
})

const FAILURES: [label: string, body: string, message: RegExp][] = [
  ['octets that nothing expects', 'B: * OK ready\nS: * OK ready\nB: more', /octets came that nothing expects/],
  ['octets while it must be idle', 'B: hello\n@idle', /octets came that nothing expects/],
  ['an end that is not there', 'C: x\nP: x\n@eof C', /did not end/],
  ['an end in place of a line', '@fin B\nS: hello', /the connection ended/],
  ['octets before the end', 'B: hello\n@fin B\n@eof C', /octets came before the end/],
]

test.each(FAILURES)('%s', async (_label, body, message) => {
  await expect(perform(transcriptOf(body), 'whole lines', await joiner(pipeThrough))).rejects.toThrow(message)
})

test('a backend connection that no line speaks of', async () => {
  const scene = await joiner((client, port) => {
    connect({ host: '127.0.0.1', port }).on('error', () => undefined)
    client.write('hello\r\n')
  })
  await expect(perform(transcriptOf('S: hello'), 'whole lines', scene)).rejects.toThrow(/backend 1 was connected to/)
})

test('a backend that refuses, and one that resets', async () => {
  const refusing = await joiner((client, port) => client.once('data', () => pipeThrough(client, port)))
  await perform(transcriptOf('@refuse mbx1\nC: go\n@eof C'), 'whole lines', refusing)
  await perform(transcriptOf('C: go\nP: go\n@reset B\n@eof C'), 'whole lines', await joiner(pipeThrough))
})

test('octets cut as @split says', async () => {
  const sizes: number[] = []
  const scene = await joiner((client) => {
    client.on('data', (chunk) => {
      sizes.push(chunk.length)
      if (chunk.includes('\n')) client.write('done\r\n')
    })
  })
  await perform(transcriptOf('@split 3\nC: abcdefg\nS: done'), 'one write', scene)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(9)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6)
})

// SPDX-License-Identifier: MIT
import { connect, type Socket } from 'node:net'
import { systemClock } from '@portico/base'
import { afterAll, expect, test } from 'vitest'
import { createTimerWheel, formatProxyHeader } from '../src/index.js'
import { everybody, listenForTest, Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
afterAll(() => wheel.close())

const SOURCE = { address: '2001:db8::7', port: 40_000, family: 6 } as const
const DESTINATION = { address: '2001:db8::8', port: 993, family: 6 } as const
const COMMAND = Buffer.from('a NOOP\r\n')
/** A version 2 header with a TLV of somebody's own behind the addresses. */
const WITH_TLV = Buffer.concat([
  formatProxyHeader(2, SOURCE, DESTINATION),
  Buffer.from('e0000361626300', 'hex').subarray(0, 6),
])
WITH_TLV.writeUInt16BE(WITH_TLV.length - 16, 14)

test.each([
  ['version 1', formatProxyHeader(1, SOURCE, DESTINATION)],
  ['version 2', formatProxyHeader(2, SOURCE, DESTINATION)],
  ['version 2 with a TLV', WITH_TLV],
])('%s is read wherever it is cut, and what follows is left alone', async (_label, header) => {
  const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
  await using _ = listener
  const bytes = Buffer.concat([header, COMMAND])
  for (let cut = 1; cut <= header.length; cut += 1) {
    const socket = dial(listener.port)
    socket.write(bytes.subarray(0, cut), () => setImmediate(() => socket.write(bytes.subarray(cut))))
    const leg = await accepted.next()
    const reader = new Recorder()
    leg.setReader(reader)
    leg.resume()
    await reader.until(() => reader.bytes.length === COMMAND.length)
    expect({ cut, peer: leg.facts.peer, read: reader.text }).toEqual({ cut, peer: SOURCE, read: 'a NOOP\r\n' })
    socket.destroy()
  }
})

test('a second header is the first octets of the client', async () => {
  const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
  await using _ = listener
  const socket = dial(listener.port)
  const second = formatProxyHeader(1, { ...SOURCE, address: '2001:db8::99' }, DESTINATION)
  socket.write(Buffer.concat([formatProxyHeader(1, SOURCE, DESTINATION), second]))
  const leg = await accepted.next()
  const reader = new Recorder()
  leg.setReader(reader)
  leg.resume()
  await reader.until(() => reader.bytes.length === second.length)
  expect(leg.facts.peer).toEqual(SOURCE)
  expect(reader.bytes).toEqual(second)
  socket.destroy()
})

test.each([
  [
    'a header behind other octets',
    Buffer.concat([COMMAND, formatProxyHeader(1, SOURCE, DESTINATION)]),
    'no PROXY header',
  ],
  [
    'a version 1 header that is too long',
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`),
    'version 1 header too long',
  ],
  ['a version 2 header that is too long', tooLong(), 'version 2 header too long'],
  ['a version 2 header with a wrong checksum', wrongChecksum(), 'version 2 checksum'],
])('%s closes the connection without an answer', async (_label, bytes, detail) => {
  const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody, tooBusy: Buffer.from('busy') })
  await using _ = listener
  const socket = dial(listener.port)
  let said = ''
  socket.on('data', (data) => {
    said += data
  })
  socket.write(bytes)
  expect(await accepted.nextRefusal()).toEqual({ why: 'bad-proxy-header', detail })
  await expect.poll(() => listener.connections).toBe(0)
  expect(said).toBe('')
})

test.each([
  ['PROXY UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
  ['LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
])('after %s the socket’s own addresses hold', async (_label, header) => {
  const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
  await using _ = listener
  const socket = dial(listener.port)
  socket.write(header)
  const leg = await accepted.next()
  expect(leg.facts.peer).toMatchObject({ address: '127.0.0.1', port: socket.localPort })
  socket.destroy()
})

test('a client behind a Unix socket is known by its path and counts as no address', async () => {
  const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody, maxPerAddress: 1 })
  await using _ = listener
  const from = { address: '/run/client', port: 0, family: 'unix' } as const
  for (let n = 0; n < 2; n += 1) {
    dial(listener.port).write(formatProxyHeader(2, from, { ...from, address: '/run/imap' }))
    expect((await accepted.next()).facts.peer).toEqual(from)
  }
})

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  return socket.on('error', () => undefined)
}

/** Refused by its announced length, before the rest has come. */
function tooLong(): Buffer {
  const header = formatProxyHeader(2, SOURCE, DESTINATION)
  header.writeUInt16BE(65_535, 14)
  return header
}

function wrongChecksum(): Buffer {
  const header = Buffer.concat([formatProxyHeader(2, SOURCE, DESTINATION), Buffer.from('03000400000001', 'hex')])
  header.writeUInt16BE(header.length - 16, 14)
  return header
}

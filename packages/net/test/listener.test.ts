// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { CancellationSource, NEVER, systemClock } from '@portico/base'
import { afterAll, describe, expect, test } from 'vitest'
import { addressKey } from '../src/admission.js'
import { connectLeg, converse, createTimerWheel, createTlsAcceptor, formatProxyHeader, type Leg } from '../src/index.js'
import { certificateFor, connectTo, everybody, listenForTest, Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
const certificate = certificateFor(['mail.example.com'])
afterAll(() => wheel.close())

const SOURCE = { address: '192.0.2.7', port: 40_000, family: 4 } as const
const DESTINATION = { address: '192.0.2.8', port: 993, family: 4 } as const

async function send(socket: Socket, bytes: Buffer, byByte: boolean): Promise<void> {
  socket.setNoDelay(true)
  if (!byByte) return void socket.write(bytes)
  for (const byte of bytes) {
    await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => setImmediate(resolve)))
  }
}

async function firstLine(leg: Leg): Promise<string> {
  const read = await converse(leg).readLine(100, NEVER)
  return read.kind === 'line' ? read.bytes.toString() : read.kind
}

describe('PROXY in front', () => {
  for (const version of [1, 2] as const) {
    for (const byByte of [false, true]) {
      const how = byByte ? 'octet by octet' : 'in one packet'
      test(`version ${version} and a command ${how}`, async () => {
        const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
        await using _ = listener
        const socket = connectTcp(listener.port, '127.0.0.1')
        const header = formatProxyHeader(version, SOURCE, DESTINATION)
        await send(socket, Buffer.concat([header, Buffer.from('a NOOP\r\n')]), byByte)
        const leg = await accepted.next()
        expect(leg.facts).toMatchObject({ peer: SOURCE, local: DESTINATION, socketPeer: { address: '127.0.0.1' } })
        expect(await firstLine(leg)).toBe('a NOOP')
        socket.destroy()
      })

      test(`version ${version} and a ClientHello ${how}`, async () => {
        const acceptor = createTlsAcceptor({ listener: 'test', certificates: [certificate], alpn: [] })
        const tls = { mode: 'implicit', acceptor, handshakeMs: 5_000 } as const
        const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody, tls })
        await using _ = listener
        const { port, close } = await shovel(listener.port, formatProxyHeader(version, SOURCE, DESTINATION), byByte)
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        socket.write('a NOOP\r\n')
        const leg = await accepted.next()
        expect(leg.facts.peer).toEqual(SOURCE)
        expect(leg.tls?.version).toBe('TLSv1.3')
        expect(await firstLine(leg)).toBe('a NOOP')
        socket.destroy()
        close()
      })
    }
  }

  test('a balancer that took TLS off makes the leg count as encrypted, without channel binding', async () => {
    const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
    await using _ = listener
    const header = formatProxyHeader(2, SOURCE, DESTINATION)
    const ssl = Buffer.from('20000f0100000000210007544c5376312e33', 'hex')
    header.writeUInt16BE(header.readUInt16BE(14) + ssl.length, 14)
    const socket = connectTcp(listener.port, '127.0.0.1')
    socket.write(Buffer.concat([header, ssl]))
    const leg = await accepted.next()
    expect(leg.tls).toMatchObject({ version: 'TLSv1.3' })
    expect(leg.tls?.channelBinding('tls-exporter')).toBeUndefined()
    socket.destroy()
  })

  test.each([
    ['no header', 'EHLO x\r\n', 'no PROXY header'],
    ['half a header', 'PROXY TCP4 ', 'no PROXY header in time'],
  ])('a balancer that sends %s is refused', async (_label, words, detail) => {
    const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody, proxyHeaderMs: 150 })
    await using _ = listener
    const socket = connectTcp(listener.port, '127.0.0.1')
    socket.on('error', () => undefined).write(words)
    expect(await accepted.nextRefusal()).toEqual({ why: 'bad-proxy-header', detail })
    await expect.poll(() => listener.connections).toBe(0)
  })

  test('a health check that only connects is closed and told apart', async () => {
    const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody })
    await using _ = listener
    connectTcp(listener.port, '127.0.0.1').end()
    expect(await accepted.nextRefusal()).toMatchObject({ why: 'closed-early' })
  })

  test('everybody else is served plain on the same port, and cannot lie about the address', async () => {
    const { listener, accepted } = await listenForTest(wheel, {
      proxyFrom: { cidrs: [], contains: () => false, widthOf: () => undefined },
    })
    await using _ = listener
    const socket = connectTcp(listener.port, '127.0.0.1')
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n')
    const leg = await accepted.next()
    expect(leg.facts.peer.address).toBe('127.0.0.1')
    expect(await firstLine(leg)).toBe('PROXY TCP4 192.0.2.7 192.0.2.8 1 2')
    socket.destroy()
  })
})

/** Puts a header in front of the first octets of a connection, in one packet with them or octet by octet. */
async function shovel(to: number, header: Buffer, byByte: boolean): Promise<{ port: number; close: () => void }> {
  const server = createServer((client) => {
    const front = connectTcp(to, '127.0.0.1')
    client.on('error', () => undefined)
    front.on('error', () => undefined)
    client.once('data', (hello) => {
      client.pause()
      void send(front, Buffer.concat([header, hello]), byByte).then(() => {
        client.on('data', (data) => front.write(data))
        client.resume()
      })
    })
    front.on('data', (data) => client.write(data))
    client.on('close', () => front.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return { port: typeof bound === 'object' ? (bound?.port ?? 0) : 0, close: () => server.close() }
}

describe('limits', () => {
  test('a connection over the limit hears why and is closed; its place is free again later', async () => {
    const tooBusy = Buffer.from('* BYE too many\r\n')
    const { listener, accepted } = await listenForTest(wheel, { maxConnections: 1, tooBusy })
    await using _ = listener
    const first = await connectTo(listener, wheel)
    const second = await connectTo(listener, wheel)
    const heard = new Recorder()
    second.setReader(heard)
    expect(await accepted.nextRefusal()).toMatchObject({ why: 'over-limit' })
    await heard.until(() => heard.peerEnds > 0)
    expect(heard.text).toBe('* BYE too many\r\n')
    second.end()
    first.destroy()
    const served = await accepted.next()
    served.destroy()
    await expect.poll(() => listener.connections).toBe(0)
    await connectTo(listener, wheel)
    await accepted.next()
  })

  test('clients behind a balancer are counted by their own address', async () => {
    const { listener, accepted } = await listenForTest(wheel, { proxyFrom: everybody, maxPerAddress: 1 })
    await using _ = listener
    const sockets = ['192.0.2.1', '192.0.2.2', '192.0.2.1'].map((address) => {
      const socket = connectTcp(listener.port, '127.0.0.1')
      socket.on('error', () => undefined)
      return { socket, header: formatProxyHeader(1, { address, port: 1, family: 4 }, DESTINATION) }
    })
    for (const { socket, header } of sockets.slice(0, 2)) {
      socket.write(header)
      await accepted.next()
    }
    sockets[2]?.socket.write(sockets[2].header)
    expect(await accepted.nextRefusal()).toMatchObject({ why: 'over-address-limit' })
    for (const { socket } of sockets) socket.destroy()
  })

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['192.0.2.1', '192.0.2.2', false],
  ])('%s and %s count as one client: %s', (a, b, same) => {
    expect(addressKey(a) === addressKey(b)).toBe(same)
  })
})

describe('listening', () => {
  test('a Unix socket is served; a stale file is replaced, a live one is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portico-net-'))
    const at = { kind: 'unix', path: join(folder, 'imap') } as const
    const { listener, accepted } = await listenForTest(wheel, { at })
    await expect(listenForTest(wheel, { at })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const result = await connectLeg(at, { wheel, timeoutMs: 1_000, signal: NEVER })
    if (result.kind !== 'connected') throw new Error(result.code)
    expect((await accepted.next()).facts.peer).toEqual({ address: at.path, port: 0, family: 'unix' })
    result.leg.destroy({ reset: true })
    await listener[Symbol.asyncDispose]()
    // What a crashed process leaves behind: a bound file that nobody listens on.
    const stale = createServer().listen(at.path)
    await new Promise((resolve) => stale.once('listening', resolve))
    const kept = join(folder, 'kept')
    linkSync(at.path, kept)
    await new Promise((resolve) => stale.close(resolve))
    renameSync(kept, at.path)
    const again = await listenForTest(wheel, { at })
    await again.listener[Symbol.asyncDispose]()
    writeFileSync(at.path, 'an ordinary file')
    await expect(listenForTest(wheel, { at })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    rmSync(folder, { recursive: true })
  })

  test('a received server is taken over with our own options', async () => {
    const received = createServer()
    await new Promise<void>((resolve) => received.listen(0, '127.0.0.1', resolve))
    const { listener, accepted } = await listenForTest(wheel, { at: received })
    const client = await connectTo(listener, wheel)
    client.end()
    const leg = await accepted.next()
    const reader = new Recorder()
    leg.setReader(reader)
    leg.resume()
    await reader.until(() => reader.peerEnds > 0)
    // Without allowHalfOpen the leg would be closed by now.
    expect(leg.state).toBe('peer-ended')
    await listener[Symbol.asyncDispose]()
    received.close()
  })

  test('disposal ends also when the last connection has gone by itself just before', async () => {
    const { listener, accepted } = await listenForTest(wheel)
    const client = await connectTo(listener, wheel)
    client.setReader(new Recorder())
    const leg = await accepted.next()
    await listener.stopAccepting()
    const over = once(listener.server, 'close')
    leg.destroy()
    await over
    await listener[Symbol.asyncDispose]()
    client.destroy()
  })

  test('after stopAccepting live connections go on and new ones are refused', async () => {
    const { listener, accepted } = await listenForTest(wheel)
    await using _ = listener
    const client = await connectTo(listener, wheel)
    const heard = new Recorder()
    client.setReader(heard)
    const leg = await accepted.next()
    await listener.stopAccepting()
    const at = { kind: 'tcp', host: '127.0.0.1', port: listener.port } as const
    const refused = await connectLeg(at, { wheel, timeoutMs: 1_000, signal: NEVER })
    expect(refused).toMatchObject({ kind: 'failed', code: 'refused' })
    leg.writeText('still here')
    await heard.until(() => heard.text === 'still here')
  })
})

describe('connecting', () => {
  test.each([
    ['a port that nobody serves', { kind: 'tcp', host: '127.0.0.1', port: 1 }, 'refused'],
    ['a path that is not there', { kind: 'unix', path: '/nonexistent/socket' }, 'unreachable'],
  ] as const)('to %s', async (_label, address, code) => {
    expect(await connectLeg(address, { wheel, timeoutMs: 1_000, signal: NEVER })).toMatchObject({
      kind: 'failed',
      code,
    })
  })

  test('is given up when cancelled, before or meanwhile, and leaves the signal free', async () => {
    const signal = new CancellationSource()
    const at = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const
    const pending = connectLeg(at, { wheel, timeoutMs: 1_000, signal })
    signal.abort('closed')
    expect(await pending).toEqual({ kind: 'failed', code: 'cancelled' })
    expect(await connectLeg(at, { wheel, timeoutMs: 1_000, signal })).toEqual({ kind: 'failed', code: 'cancelled' })
    expect(signal.onAbort).toBeUndefined()
  })
})

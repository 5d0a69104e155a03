// SPDX-License-Identifier: MIT
import { createHash, X509Certificate } from 'node:crypto'
import http2 from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { systemClock } from '@portico/base'
import { afterAll, describe, expect, test } from 'vitest'
import {
  createTimerWheel,
  createTlsAcceptor,
  type Listener,
  type TlsAcceptor,
  type TlsCertificate,
} from '../src/index.js'
import { tlsPair } from './leg-pairs.js'
import { certificateFor, connectTo, listenForTest, Recorder } from './support.js'

const wheel = createTimerWheel(systemClock)
const first = certificateFor(['mail.example.com', '127.0.0.1'])
const second = certificateFor(['*.example.org'])
afterAll(() => wheel.close())
const NONE = new Uint8Array(0)

function acceptorOf(certificates: readonly TlsCertificate[], alpn: readonly string[] = []): TlsAcceptor {
  return createTlsAcceptor({ listener: 'test', certificates, alpn })
}

function implicit(acceptor: TlsAcceptor, handshakeMs = 5_000) {
  return listenForTest(wheel, { tls: { mode: 'implicit', acceptor, handshakeMs } })
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
}

function open(listener: Listener, options: { servername?: string; ALPNProtocols?: string[] }): TLSSocket {
  return connectTls({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
}

function served(socket: TLSSocket): string {
  return new X509Certificate(socket.getPeerCertificate().raw).fingerprint256
}

function fingerprint(certificate: TlsCertificate): string {
  return new X509Certificate(certificate.certificate).fingerprint256
}

describe('implicit TLS', () => {
  test.each([
    ['its own name', 'mail.example.com', first],
    ['a name under a wildcard', 'imap.example.org', second],
    ['the same in capitals', 'IMAP.EXAMPLE.ORG', second],
    ['two labels under a wildcard', 'a.b.example.org', first],
    ['an unknown name', 'elsewhere.test', first],
  ])('a client that asks for %s gets the right certificate', async (_label, servername, expected) => {
    const { listener, accepted } = await implicit(acceptorOf([first, second]))
    await using _ = listener
    const socket = open(listener, { servername })
    await secured(socket)
    const leg = await accepted.next()
    expect(served(socket)).toBe(fingerprint(expected))
    expect(leg.tls?.servername?.toLowerCase()).toBe(servername.toLowerCase())
    socket.destroy()
  })

  test('a swapped certificate is served to the next client, while live sessions go on', async () => {
    const acceptor = acceptorOf([first])
    const { listener, accepted } = await implicit(acceptor)
    await using _ = listener
    const before = open(listener, { servername: 'imap.example.org' })
    await secured(before)
    const leg = await accepted.next()
    acceptor.swap([second])
    const after = open(listener, { servername: 'imap.example.org' })
    await secured(after)
    expect([served(before), served(after)]).toEqual([fingerprint(first), fingerprint(second)])
    const came = new Promise((resolve) => before.once('data', resolve))
    leg.writeText('still here')
    expect(String(await came)).toBe('still here')
    before.destroy()
    after.destroy()
  })

  test('ALPN: the server prefers; nothing in common is an alert (RFC 7301 section 3.2)', async () => {
    const { listener, accepted } = await implicit(acceptorOf([first], ['h2', 'http/1.1']))
    await using _ = listener
    const both = open(listener, { ALPNProtocols: ['http/1.1', 'h2'] })
    await secured(both)
    expect((await accepted.next()).tls?.alpn).toBe('h2')
    const none = open(listener, {})
    await secured(none)
    expect((await accepted.next()).tls?.alpn).toBeUndefined()
    const foreign = open(listener, { ALPNProtocols: ['imap'] })
    await expect(secured(foreign)).rejects.toThrow()
    expect(await accepted.nextRefusal()).toEqual({ why: 'tls-failed', detail: 'no-alpn-overlap' })
    both.destroy()
    none.destroy()
  })

  test.each([
    ['speaks plain text', 'GET / HTTP/1.0\r\n\r\n', { why: 'tls-failed', detail: 'not-tls' }],
    ['says nothing', '', { why: 'tls-failed', detail: 'timeout' }],
  ])('a client that %s is dropped', async (_label, words, refusal) => {
    const { listener, accepted } = await implicit(acceptorOf([first]), 150)
    await using _ = listener
    const socket = connectTcp(listener.port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined).resume()
    if (words !== '') socket.write(words)
    expect(await accepted.nextRefusal()).toEqual(refusal)
    await closed
    await expect.poll(() => listener.connections).toBe(0)
  })

  test('HTTP/2 is served on a released leg', async () => {
    const { listener, accepted } = await implicit(acceptorOf([first], ['h2']))
    await using _ = listener
    const door = http2.createServer((_request, response) => response.end('by http2'))
    const client = http2.connect(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false })
    const request = client.request({ ':path': '/' })
    // The client's preface is already under way, and may be in the leg.
    const leg = await accepted.next()
    await new Promise((resolve) => setTimeout(resolve, 30))
    door.emit('connection', leg.release().socket)
    let body = ''
    for await (const piece of request) body += String(piece)
    expect(body).toBe('by http2')
    client.destroy()
  })
})

describe('STARTTLS', () => {
  test('octets behind STARTTLS are not executed: the connection is dropped (RFC 3207 section 4.2)', async () => {
    const { listener, accepted } = await listenForTest(wheel, { tls: { mode: 'starttls' } })
    await using _ = listener
    const client = await connectTo(listener, wheel)
    const answers = new Recorder()
    client.setReader(answers)
    const leg = await accepted.next()
    const reader = new Recorder()
    const commands: string[] = []
    const result = new Promise((resolve) => {
      reader.onBytes = (view) => {
        const end = view.indexOf(10) + 1
        commands.push(Buffer.from(view.subarray(0, end)).toString())
        leg.pause()
        leg.writeText('a OK begin TLS\r\n')
        queueMicrotask(() => leg.upgradeServer(acceptorOf([first]), NONE, 'starttls', 5_000).then(resolve))
        return end
      }
      leg.setReader(reader)
      leg.resume()
      client.writeText('a STARTTLS\r\nb LOGIN alice secret\r\n')
    })
    expect(await result).toEqual({ kind: 'failed', reason: 'plaintext-behind-starttls' })
    await reader.until(() => reader.ends.length > 0)
    expect(commands).toEqual(['a STARTTLS\r\n'])
  })

  test('a backend that sends octets behind its STARTTLS answer is dropped', async () => {
    const { listener, accepted } = await listenForTest(wheel)
    await using _ = listener
    const client = await connectTo(listener, wheel)
    client.pause()
    client.setReader(new Recorder())
    client.writeText('a STARTTLS\r\n')
    const leg = await accepted.next()
    leg.writeText('a OK begin TLS\r\n* CAPABILITY X-INJECTED\r\n')
    while (client.buffered === 0) await new Promise((resolve) => setImmediate(resolve))
    const result = await client.upgradeClient({ servername: 'mail.example.com', verify: false }, 1_000)
    expect(result).toEqual({ kind: 'failed', reason: 'plaintext-behind-starttls' })
  })

  test.each([
    ['the right name', 'mail.example.com', true, true, 'secure'],
    ['an IP address in the certificate', '127.0.0.1', true, true, 'secure'],
    ['another name', 'other.example.com', true, true, 'verify'],
    ['an IP address that is not in it', '192.0.2.1', true, true, 'verify'],
    ['an unknown authority', 'mail.example.com', true, false, 'verify'],
    ['another name, unverified', 'other.example.com', false, true, 'secure'],
  ])('a backend certificate with %s', async (_label, servername, verify, known, expected) => {
    const { listener, accepted } = await implicit(acceptorOf([first]))
    await using _ = listener
    const client = await connectTo(listener, wheel)
    const ca = known ? { ca: first.certificate } : {}
    const result = await client.upgradeClient({ servername, verify, ...ca }, 5_000)
    expect(result.kind === 'secure' ? 'secure' : result.reason).toBe(expected)
    if (result.kind === 'secure') {
      const leg = await accepted.next()
      expect(leg.tls?.servername).toBe(/^\d/.test(servername) ? undefined : servername)
    } else {
      expect(client.state).toBe('closed')
    }
  })

  test('a backend that never answers the handshake is given up in time', async () => {
    const { listener } = await listenForTest(wheel)
    await using _ = listener
    const client = await connectTo(listener, wheel)
    const result = await client.upgradeClient({ servername: 'mail.example.com', verify: true }, 150)
    expect(result).toEqual({ kind: 'failed', reason: 'timeout' })
  })

  test('a backend that speaks plain text where TLS was meant is not TLS', async () => {
    const { listener, accepted } = await listenForTest(wheel)
    await using _ = listener
    const client = await connectTo(listener, wheel)
    const leg = await accepted.next()
    leg.writeText('* OK IMAP4rev1 ready\r\n')
    const result = await client.upgradeClient({ servername: 'mail.example.com', verify: true }, 1_000)
    expect(result).toMatchObject({ kind: 'failed', reason: 'not-tls' })
  })

  test('destroying a leg stops its handshake', async () => {
    const { listener, accepted } = await listenForTest(wheel)
    await using _ = listener
    await connectTo(listener, wheel)
    const leg = await accepted.next()
    const result = leg.upgradeServer(acceptorOf([first]), NONE, 'starttls', 5_000)
    leg.destroy()
    expect(await result).toMatchObject({ kind: 'failed', reason: 'closed' })
  })
})

describe('channel bindings', () => {
  test('TLS 1.3: both ends have the same exporter and end-point (RFC 9266, RFC 5929)', async () => {
    await using pair = await tlsPair(wheel, first)
    const exporter = pair.server.tls?.channelBinding('tls-exporter')
    expect(exporter).toHaveLength(32)
    expect(pair.client.tls?.channelBinding('tls-exporter')).toEqual(exporter)
    const der = new X509Certificate(first.certificate).raw
    const expected = createHash('sha256').update(der).digest()
    expect(pair.server.tls?.channelBinding('tls-server-end-point')).toEqual(expected)
    expect(pair.client.tls?.channelBinding('tls-server-end-point')).toEqual(expected)
  })

  test('an Ed25519 certificate has no hash of its own, so no end-point binding is offered', async () => {
    await using pair = await tlsPair(wheel, certificateFor(['mail.example.com'], 'ed25519'))
    expect(pair.server.tls?.channelBinding('tls-server-end-point')).toBeUndefined()
    expect(pair.server.tls?.channelBinding('tls-exporter')).toHaveLength(32)
  })

  test('a resumed session with several certificates has no end-point binding', async () => {
    const { listener, accepted } = await implicit(acceptorOf([first, second]))
    await using _ = listener
    const options = {
      port: listener.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      servername: 'imap.example.org',
    }
    const fresh = connectTls(options)
    const session = await new Promise<Buffer>((resolve) => fresh.once('session', resolve))
    const leg = await accepted.next()
    expect(leg.tls?.channelBinding('tls-server-end-point')).toBeDefined()
    const again = connectTls({ ...options, session })
    await secured(again)
    const resumed = await accepted.next()
    expect(resumed.tls?.resumed).toBe(true)
    expect(resumed.tls?.channelBinding('tls-server-end-point')).toBeUndefined()
    expect(resumed.tls?.channelBinding('tls-exporter')).toHaveLength(32)
    fresh.destroy()
    again.destroy()
  })
})

test('a client certificate is reported as good or bad, and never refused by itself', async () => {
  const acceptor = createTlsAcceptor({
    listener: 'test',
    certificates: [first],
    alpn: [],
    clientCertificates: { ca: second.certificate },
  })
  const { listener, accepted } = await implicit(acceptor)
  await using _ = listener
  for (const [certificate, authorized] of [
    [second, true],
    [first, false],
  ] as const) {
    const options = { cert: certificate.certificate, key: certificate.key, rejectUnauthorized: false }
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', ...options })
    await secured(socket)
    expect((await accepted.next()).tls?.clientCertificate?.authorized).toBe(authorized)
    socket.destroy()
  }
  const without = open(listener, {})
  await secured(without)
  expect((await accepted.next()).tls?.clientCertificate).toBeUndefined()
  without.destroy()
})

test('certificates with keys of different types are refused, because the wrong one could be served', () => {
  const rsa = certificateFor(['rsa.example.com'], 'rsa')
  expect(() => acceptorOf([first, rsa])).toThrow('keys of one type, not of ec and rsa')
  const acceptor = acceptorOf([first])
  expect(() => acceptor.swap([first, rsa])).toThrow(TypeError)
})

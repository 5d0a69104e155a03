// SPDX-License-Identifier: MIT
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createFrontEnd, type FrontEnd } from '@portico/frontend'
import { sip } from '@portico/sip'
import { captureLog } from '@portico/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const FIELDS =
  'From: <sip:gw@test.lan>;tag=1\r\nTo: <sip:kim@test.lan>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n'

const invite = (via: string, more = 'Content-Length: 0\r\n', body = ''): string =>
  `INVITE sip:kim@test.lan SIP/2.0\r\nVia: SIP/2.0/UDP ${via}\r\n${FIELDS}${more}\r\n${body}`

let frontEnd: FrontEnd
let port = 0
const log = captureLog()
const sockets: Socket[] = []

beforeAll(async () => {
  frontEnd = await createFrontEnd({
    protocols: [sip],
    log,
    config: {
      version: 1,
      networks: { gateways: ['127.0.0.1'] },
      listeners: [{ protocol: 'sip', address: '127.0.0.1:0', tls: 'none', transport: 'udp' }],
      credentials: [{ type: 'deferred' }],
      location: [{ type: 'hash', group: 'mbx1', domains: ['test.lan'] }],
      backends: { mbx1: { sip: { endpoints: ['um1.test.lan:5063'] } } },
      sip: { domains: ['test.lan'], peers: { networks: ['gateways'] }, head: '2KiB', body: '1KiB' },
    },
  })
  port = frontEnd.listeners[0]?.port ?? 0
})
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await frontEnd.close()
})

async function gateway(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

async function answerAt(socket: Socket): Promise<string> {
  const [message] = await once(socket, 'message')
  return String(message)
}

async function ask(text: string): Promise<string> {
  const socket = await gateway()
  socket.send(text, port, '127.0.0.1')
  return answerAt(socket)
}

describe('over UDP', () => {
  test('a call of a mailbox goes to its voice server', async () => {
    expect(await ask(invite('gw.test.lan;rport'))).toContain('Contact: <sip:kim@um1.test.lan:5063;transport=tls>\r\n')
  })

  test('without rport the answer goes to the port of the Via (RFC 3261 section 18.2.2)', async () => {
    const [asks, hears] = [await gateway(), await gateway()]
    asks.send(invite(`gw.test.lan:${hears.address().port}`), port, '127.0.0.1')
    expect(await answerAt(hears)).toContain(`Via: SIP/2.0/UDP gw.test.lan:${hears.address().port};received=127.0.0.1`)
  })

  test('an answer leads to nobody else, whatever the Via says', async () => {
    const [asks, other] = [await gateway(), await gateway('127.0.0.2')]
    other.on('message', () => expect.unreachable('a third party was written to'))
    const elsewhere = other.address().port
    asks.send(invite(`127.0.0.2:${elsewhere};maddr=127.0.0.2;received=127.0.0.2;rport=${elsewhere}`), port, '127.0.0.1')
    expect(await answerAt(asks)).toMatch(/^SIP\/2\.0 302 /)
  })

  test.each([
    [
      'a body that is shorter than its length',
      invite('a;rport', 'Content-Length: 5\r\n', 'v=0'),
      '400 Content-Length Too Large',
    ],
    ['no empty line', invite('a;rport').slice(0, -2), '400 Missing Empty Line'],
    ['a body that is too large', invite('a;rport', '', 'x'.repeat(1_100)), '513 Message Too Large'],
    ['a head that is too large', invite('a;rport', `Subject: ${'x'.repeat(2_100)}\r\n`), '513 Message Too Large'],
  ])('%s', async (_label, text, status) => {
    expect(await ask(text)).toMatch(new RegExp(`^SIP/2\\.0 ${status}\r\n`))
  })

  test.each([
    ['a body that is longer than its length', invite('a;rport', 'Content-Length: 0\r\n', 'v=0')],
    ['a body without a length', invite('a;rport', '', 'v=0')],
    ['line ends before the message', `\r\n\r\n${invite('a;rport')}`],
  ])('%s does no harm (RFC 3261 section 18.3)', async (_label, text) => {
    expect(await ask(text)).toMatch(/^SIP\/2\.0 302 /)
  })

  /** What is dropped is told from what is late by an answer to what was sent behind it. */
  test.each([
    ['a response', `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;rport\r\n${FIELDS}\r\n`],
    ['ACK', invite('a;rport').replaceAll('INVITE', 'ACK')],
    ['line ends alone', '\r\n\r\n'],
    ['what is no SIP', 'GET / HTTP/1.1\r\n\r\n'],
    ['a request without Via', invite('a;rport').replace(/Via:.*\r\n/, '')],
    ['what is so short that any answer would be much longer', 'X sip:a SIP/2.0\r\nv:SIP/2.0/UDP a;rport\r\n\r\n'],
  ])('%s is not answered', async (_label, text) => {
    const socket = await gateway()
    socket.send(text, port, '127.0.0.1')
    socket.send(invite('a;branch=behind;rport'), port, '127.0.0.1')
    expect(await answerAt(socket)).toContain(';branch=behind;')
  })

  test('who is no peer hears nothing', async () => {
    const stranger = await gateway('127.0.0.2')
    stranger.on('message', () => expect.unreachable('a stranger was answered'))
    stranger.send(invite('a;rport'), port, '127.0.0.1')
    await expect.poll(() => log.lines.join('\n')).toContain("why: 'stranger'")
    expect(await ask(invite('a;rport'))).toMatch(/^SIP\/2\.0 302 /)
  })
})

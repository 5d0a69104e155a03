// SPDX-License-Identifier: MIT
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AuthHttpRoute, createAuthHttpSource } from '@portico/auth'
import { CancellationSource, type Clock, NEVER, Secret, systemClock } from '@portico/base'
import { createFakeClock, credentialSourceCompliance, type FakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, recordingLog, requestOf } from './helpers.js'

type Answer = Record<string, string> | ((response: ServerResponse) => void)

/** The far side as nginx's documentation has it. */
async function service(answer: (headers: IncomingHttpHeaders) => Answer, clock: Clock = systemClock) {
  const asked: IncomingHttpHeaders[] = []
  let connections = 0
  const server = createServer((request, response) => {
    asked.push(request.headers)
    const reply = answer(request.headers)
    if (typeof reply === 'function') return reply(response)
    response.writeHead(200, reply).end()
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const log = recordingLog()
  const headers = { 'X-Shared': new Secret('between-us'), 'X-Door': 'portico' }
  const source = createAuthHttpSource({ url: `http://127.0.0.1:${port}/auth`, timeoutMs: 5_000, headers, clock, log })
  const close = async () => {
    await source[Symbol.asyncDispose]()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { source, asked, close, server, connections: () => connections, [Symbol.asyncDispose]: close }
}

const OK = { 'Auth-Status': 'OK', 'Auth-Server': '198.51.100.1', 'Auth-Port': '143' }
const REFUSED = { 'Auth-Status': 'Invalid login or password', 'Auth-Wait': '3' }

credentialSourceCompliance('auth_http', async () => {
  const far = await service((headers) =>
    headers['auth-user'] === 'alice' && headers['auth-pass'] === 'secret' ? OK : REFUSED,
  )
  return {
    source: far.source,
    known: { user: 'alice', password: 'secret' },
    proves: 'accepted',
    unknownUser: 'rejected',
    goAway: far.close,
    close: async () => {
      if (far.server.listening) await far.close()
    },
  }
})

describe('the question', () => {
  test('carries what nginx sends, the facts of TLS and the configured headers', async () => {
    await using far = await service(() => OK)
    const client = clientAt('192.0.2.42', { tlsVersion: 'TLSv1.3' })
    await far.source.verify(requestOf('alice', 'secret', { client, attempt: 2 }), NEVER)
    expect(far.asked[0]).toMatchObject({
      'auth-method': 'plain',
      'auth-user': 'alice',
      'auth-pass': 'secret',
      'auth-protocol': 'imap',
      'auth-login-attempt': '2',
      'client-ip': '192.0.2.42',
      'auth-ssl': 'on',
      'auth-ssl-protocol': 'TLSv1.3',
      'x-shared': 'between-us',
      'x-door': 'portico',
    })
  })

  test('says nothing of TLS on a plain leg, and names the other protocols as they are', async () => {
    await using far = await service(() => OK)
    await far.source.verify(
      requestOf('a', 'b', { client: clientAt('::1', { protocol: 'pop3', encrypted: false }) }),
      NEVER,
    )
    expect(far.asked[0]).toMatchObject({ 'auth-protocol': 'pop3', 'client-ip': '::1' })
    expect(far.asked[0]).not.toHaveProperty('auth-ssl')
  })

  test.each([
    ['space and percent', 'a b%c', 'a%20b%25c'],
    ['a line break, which must not become a header', 'x\r\nAuth-Status: OK', 'x%0D%0AAuth-Status:%20OK'],
    ['UTF-8, octet by octet', 'é', 'Ã©'],
  ])('%s', async (_label, password, header) => {
    await using far = await service(() => OK)
    await far.source.verify(requestOf('alice', password), NEVER)
    expect(far.asked[0]?.['auth-pass']).toBe(header)
  })

  test('many questions in a row use one connection', async () => {
    await using far = await service(() => OK)
    for (let i = 0; i < 20; i++) await far.source.verify(requestOf('alice', 'secret'), NEVER)
    expect(far.connections()).toBe(1)
  })

  test('a kept connection that the service closed is replaced without the user noticing', async () => {
    let calls = 0
    await using far = await service(() => (++calls === 2 ? (response) => response.socket?.resetAndDestroy() : OK))
    expect((await far.source.verify(requestOf('alice', 'secret'), NEVER)).kind).toBe('accepted')
    expect((await far.source.verify(requestOf('alice', 'secret'), NEVER)).kind).toBe('accepted')
    expect(calls).toBe(3)
  })
})

describe('the answer', () => {
  const answerTo = async (reply: Answer) => {
    await using far = await service(() => reply)
    return await far.source.verify(requestOf('Alice', 'secret'), NEVER)
  }

  test('brings the route, with user and password for the backend', async () => {
    const answer = await answerTo({ ...OK, 'Auth-User': 'alice42', 'Auth-Pass': 'at-the-back' })
    expect(answer).toMatchObject({
      kind: 'accepted',
      principal: {
        user: 'alice',
        route: { source: 'auth-http', value: { host: '198.51.100.1', port: 143, user: 'alice42' } },
      },
    })
    const route = (answer as { principal: { route: { value: AuthHttpRoute } } }).principal.route.value
    expect(route.password?.expose()).toBe('at-the-back')
  })

  test('a refusal hands its wait on', async () => {
    expect(await answerTo(REFUSED)).toEqual({ kind: 'rejected', reason: 'invalid-credentials', waitMs: 3_000 })
    expect(await answerTo({ 'Auth-Status': 'no' })).toEqual({
      kind: 'rejected',
      reason: 'invalid-credentials',
      waitMs: 0,
    })
  })

  test.each([
    ['status 500', (response: ServerResponse) => void response.writeHead(500, OK).end()],
    ['status 204', (response: ServerResponse) => void response.writeHead(204, OK).end()],
    ['a redirect', (response: ServerResponse) => void response.writeHead(302, { Location: '/', ...OK }).end()],
    ['no Auth-Status', {}],
    ['no server', { 'Auth-Status': 'OK', 'Auth-Port': '143' }],
    ['no port', { 'Auth-Status': 'OK', 'Auth-Server': '198.51.100.1' }],
    ['port 0', { ...OK, 'Auth-Port': '0' }],
    ['port 65536', { ...OK, 'Auth-Port': '65536' }],
    ['a server that is none', { ...OK, 'Auth-Server': 'a b' }],
    ['WAIT', { 'Auth-Status': 'WAIT', 'Auth-Wait': '2' }],
    ['a temporary error code', { 'Auth-Status': 'Try later', 'Auth-Error-Code': '451 4.3.0' }],
    ['no HTTP', (response: ServerResponse) => void response.socket?.end('* OK IMAP4rev1 ready\r\n')],
    ['a reset', (response: ServerResponse) => void response.socket?.resetAndDestroy()],
  ])('%s is temporary, never a wrong password', async (_label, reply) => {
    expect((await answerTo(reply)).kind).toBe('unavailable')
  })

  test('a service that hangs is given its time and no more', async () => {
    const clock: FakeClock = createFakeClock()
    let arrived = () => {}
    const asked = new Promise<void>((resolve) => {
      arrived = resolve
    })
    await using far = await service(() => () => arrived(), clock)
    const pending = far.source.verify(requestOf('alice', 'secret'), NEVER)
    await asked
    await clock.advance(4_999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect((await pending).kind).toBe('unavailable')
    expect(clock.pending).toBe(0)
  })

  test('a cancelled question lets go of the service', async () => {
    const signal = new CancellationSource()
    await using far = await service(() => () => signal.abort('closed'))
    expect((await far.source.verify(requestOf('alice', 'secret'), signal)).kind).toBe('unavailable')
    expect(signal.onAbort).toBeUndefined()
  })
})

describe('a recipient', () => {
  const address = { kind: 'address', local: 'post master', domain: 'example.com' } as const
  test('is asked for as SMTP without sign-in', async () => {
    await using far = await service(() => OK)
    expect(await far.source.lookupAddress(address, NEVER)).toEqual({
      kind: 'found',
      route: { host: '198.51.100.1', port: 143 },
    })
    expect(far.asked[0]).toMatchObject({
      'auth-method': 'none',
      'auth-protocol': 'smtp',
      'auth-smtp-to': 'RCPT TO: <post%20master@example.com>',
    })
  })

  test.each([
    ['refused', { 'Auth-Status': 'No such user', 'Auth-Error-Code': '550 5.1.1' }, 'none'],
    ['put off', { 'Auth-Status': 'Later', 'Auth-Error-Code': '451 4.3.0' }, 'unavailable'],
  ])('%s', async (_label, reply, kind) => {
    await using far = await service(() => reply)
    expect((await far.source.lookupAddress(address, NEVER)).kind).toBe(kind)
  })
})

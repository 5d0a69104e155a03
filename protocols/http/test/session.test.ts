// SPDX-License-Identifier: MIT
import { type Log, type LogFacts, silentLog } from '@portico/telemetry'
import { describe, expect, test } from 'vitest'
import { ask, get, OK } from './ask.js'
import { answering, BASIC, Client, Front, type World } from './harness.js'

describe('keep-alive (RFC 9112 section 9.3)', () => {
  test('two requests on one connection reach the backend on one connection and are answered in order', async () => {
    const heads: string[] = []
    let connections = 0
    const play = answering(heads, (_head, index) => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${index}`)
    await using front = await Front.start((socket) => {
      connections += 1
      play(socket, 0)
    })
    const client = await Client.connect(front.port)
    client.send('GET /a HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.take('\r\n\r\n0')).toBe('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0')
    client.send('GET /b HTTP/1.1', 'Host: x', BASIC, 'Connection: close', '', '')
    expect(await client.toEnd()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1')
    expect(heads.map((head) => head.split('\r\n')[0])).toEqual(['GET /a HTTP/1.1', 'GET /b HTTP/1.1'])
    expect(connections).toBe(1)
    expect(await front.ended[0]).toBe('logout')
  })

  test('pipelined requests are answered one after the other', async () => {
    const play = answering([], (_head, index) => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${index}`)
    await using front = await Front.start(play)
    const client = await Client.connect(front.port)
    const one = ['GET / HTTP/1.1', 'Host: x', BASIC, '', ''].join('\r\n')
    client.send(one + one + one.replace('Host: x', 'Host: x\r\nConnection: close'))
    const text = await client.toEnd()
    expect(text.match(/\r\n\r\n\d/g)).toEqual(['\r\n\r\n0', '\r\n\r\n1', '\r\n\r\n2'])
  })

  test('HTTP/1.0 is closed after its answer, and kept where it asks for that', async () => {
    const play = answering([], () => OK)
    await using front = await Front.start(play)
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.0', BASIC, 'Connection: keep-alive', '', '')
    expect(await client.take('hi')).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi')
    client.send('GET / HTTP/1.0', BASIC, '', '')
    expect(await client.toEnd()).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi')
  })

  test('one empty line before a request is passed over (RFC 9112 section 2.2)', async () => {
    expect((await ask(`\r\n${get('/', BASIC)}`)).status).toBe('HTTP/1.1 200 OK')
    expect((await ask(`\r\n\r\n${get('/', BASIC)}`)).status).toBe('HTTP/1.1 400 Bad Request')
  })
})

describe('what the backend is sent', () => {
  test('an unknown method passes, and the password is replayed as Basic (RFC 7617)', async () => {
    const { heads } = await ask(
      get('/').replace('GET /', 'RPC_IN_DATA /rpc/rpcproxy.dll?a:593').replace('\r\n\r\n', `\r\n${BASIC}\r\n\r\n`),
    )
    const ours =
      'Via: 1.1 portico\r\nForwarded: for=127.0.0.1;proto=http;host=x\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: x'
    expect(heads).toEqual([`RPC_IN_DATA /rpc/rpcproxy.dll?a:593 HTTP/1.1\r\nHost: x\r\n${ours}\r\n${BASIC}\r\n\r\n`])
  })

  test('a trusted header names the user instead, and the one from the client is dropped', async () => {
    const world: World = { identity: { kind: 'header', name: 'X-Remote-User' } }
    const { heads } = await ask(get('/', BASIC, 'X-Remote-User: root', 'X_Remote_User: root'), OK, world)
    expect(heads[0]?.match(/^x.remote.user:.*|^authorization:.*/gim)).toEqual(['X-Remote-User: alice'])
  })

  test('the mount is replaced, the query stays, and Location is mapped back', async () => {
    const settings = { directories: [{ mount: '/dav', backendPath: '/SOGo/dav' }] }
    const answer = 'HTTP/1.1 302 Found\r\nLocation: /SOGo/dav/b\r\nContent-Length: 0\r\n\r\n'
    const result = await ask(get('/DAV/a?b=c', BASIC), answer, { settings, backendPath: '/base' })
    expect(result.heads[0]?.split('\r\n')[0]).toBe('GET /base/SOGo/dav/a?b=c HTTP/1.1')
    expect(result.received).toContain('\r\nLocation: /SOGo/dav/b\r\n')
    const mapped = await ask(get('/dav/a', BASIC), answer, { settings })
    expect(mapped.received).toContain('\r\nLocation: /dav/b\r\n')
  })

  test('Host is the one of the absolute form (RFC 9112 section 3.2.2), or the backend’s own where the site says so', async () => {
    const absolute = await ask(get('http://mail.example.com/a', BASIC))
    expect(absolute.heads[0]).toMatch(/^GET \/a HTTP\/1.1\r\nHost: mail\.example\.com\r\n/)
    const own = await ask(get('/a', BASIC), OK, { settings: { directories: [{ mount: '/', host: 'backend' }] } })
    expect(own.heads[0]).toMatch(/\r\nHost: 127\.0\.0\.1:\d+\r\n/)
  })

  test('a password does not cross an unencrypted leg where the site forbids it', async () => {
    const { heads, status } = await ask(get('/', BASIC), OK, { cleartextPasswords: 'never' })
    expect([heads, status]).toEqual([[], 'HTTP/1.1 503 Service Unavailable'])
  })
})

describe('who may ask', () => {
  test.each<[string, string, World, string]>([
    ['no credentials', get('/'), {}, '401 Unauthorized'],
    ['a wrong password', get('/', BASIC.replace('Basic ', 'Basic AAAA')), {}, '400 Bad Request'],
    ['another scheme', get('/', 'Authorization: Bearer x'), {}, '401 Unauthorized'],
    ['two Authorization fields', get('/', BASIC, BASIC), {}, '400 Bad Request'],
    ['no encryption', get('/'), { encrypted: false }, '403 Forbidden'],
    [
      'no encryption, with a password',
      get('/', BASIC),
      { encrypted: false, settings: { httpsUrl: 'https://x' } },
      '403 Forbidden',
    ],
    ['no directory', get('/other', BASIC), { settings: { directories: [{ mount: '/dav' }] } }, '404 Not Found'],
    ['no mailbox', get('/', BASIC), { locate: 'none' }, '404 Not Found'],
    ['the lookup is away', get('/', BASIC), { locate: 'unavailable' }, '503 Service Unavailable'],
    ['a draining service', get('/', BASIC), { states: new Map([['http', 'draining']]) }, '503 Service Unavailable'],
    ['CONNECT', get('/', BASIC).replace('GET /', 'CONNECT x:443'), {}, '405 Method Not Allowed'],
    ['TRACE', get('/', BASIC).replace('GET', 'TRACE'), {}, '405 Method Not Allowed'],
    ['a path trick', get('/a/%2e%2e/b', BASIC), {}, '400 Bad Request'],
    ['no Host (RFC 9112 section 3.2)', get('/', BASIC).replace('Host: x\r\n', ''), {}, '400 Bad Request'],
    ['two Hosts', get('/', BASIC, 'Host: y'), {}, '400 Bad Request'],
    ['a Host with a path', get('/', BASIC).replace('Host: x', 'Host: x/y'), {}, '400 Bad Request'],
    ['* with GET', get('*', BASIC), {}, '400 Bad Request'],
  ])('%s: no backend hears of it', async (_label, text, world, phrase) => {
    const { heads, status } = await ask(text, OK, world)
    expect([heads, status]).toEqual([[], `HTTP/1.1 ${phrase}`])
  })

  test('401 carries the challenge of its directory', async () => {
    const { received } = await ask(get('/'), OK, { settings: { directories: [{ mount: '/', realm: 'Calendar' }] } })
    expect(received).toContain('\r\nWWW-Authenticate: Basic realm="Calendar", charset="UTF-8"\r\n')
  })

  test('without encryption a browser is sent to https (RFC 9110 section 15.4.9)', async () => {
    const world: World = { encrypted: false, settings: { httpsUrl: 'https://mail.example.com' } }
    expect((await ask(get('/a?b'), OK, world)).received).toContain('308 Permanent Redirect')
    expect((await ask(get('/a?b'), OK, world)).received).toContain('\r\nLocation: https://mail.example.com/a?b\r\n')
  })

  test('the line of a request names who asked it, and not whoever asked before on the connection', async () => {
    const lines: LogFacts[] = []
    const log: Log = { ...silentLog, debug: (message, facts = {}) => void (message === 'request' && lines.push(facts)) }
    await using front = await Front.start(
      answering([], () => OK),
      { log },
    )
    const client = await Client.connect(front.port)
    client.send('GET /a HTTP/1.1', 'Host: x', BASIC, '', 'GET /b HTTP/1.1', 'Host: x', 'Connection: close', '', '')
    await client.toEnd()
    await front.ended[0]
    expect(lines).toMatchObject([
      { path: '/a', user: 'alice', status: 200 },
      { path: '/b', status: 401 },
    ])
    expect([lines[1]?.['user'], lines[1]?.['backend']]).toEqual([undefined, undefined])
  })

  test('a throttled client is told so and when to come again, never that its password is wrong', async () => {
    const world: World = { login: () => ({ kind: 'failed', reason: 'throttled', waitMs: 60_000 }) }
    const { received, status } = await ask(get('/', BASIC), OK, world)
    expect(status).toBe('HTTP/1.1 429 Too Many Requests')
    expect(received).toContain('\r\nRetry-After: 60\r\n')
  })

  test('after three failed sign-ins the connection is closed', async () => {
    await using front = await Front.start(answering([], () => OK))
    const client = await Client.connect(front.port)
    const wrong = `Authorization: Basic ${Buffer.from('alice:wrong').toString('base64')}`
    client.send(['GET / HTTP/1.1', 'Host: x', wrong, '', ''].join('\r\n').repeat(4))
    const text = await client.toEnd()
    expect(text.match(/HTTP\/1\.1 401/g)).toHaveLength(3)
    expect(await front.ended[0]).toBe('too-many-failures')
  })

  test('the health page needs no credentials, says 200 OK, and 503 while the service drains', async () => {
    const settings = { directories: [{ mount: '/owa' }] }
    const good = await ask(get('/owa/HEALTHCHECK.htm'), OK, { settings, encrypted: false })
    expect(good.received).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n200 OK<br\/>mail.example.com\n$/)
    const bad = await ask(get('/healthcheck.htm'), OK, { settings, states: new Map([['http', 'draining']]) })
    expect(bad.received).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[\s\S]*Connection: close/)
    expect(good.heads).toEqual([])
  })

  test('a deferred sign-in is decided by the backend: its 401 becomes ours, with our challenge', async () => {
    const answer = 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="inside"\r\nContent-Length: 0\r\n\r\n'
    const { received, verdicts } = await ask(get('/', BASIC), answer, { deferred: true })
    expect(received).toContain('401 Unauthorized')
    expect(received).not.toContain('inside')
    expect(verdicts).toEqual(['refused'])
  })

  test('a backend that refuses whom we verified is our fault, not a wrong password', async () => {
    const { status } = await ask(get('/', BASIC), 'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n')
    expect(status).toBe('HTTP/1.1 503 Service Unavailable')
  })
})

describe('answers of the backend', () => {
  const close = 'Connection: close\r\n\r\n'
  test.each([
    [
      'a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
      `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${close}hi`,
    ],
    [
      'chunks, their extensions and trailers dropped',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nA: b\r\n\r\n',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${close}2\r\nhi\r\n0\r\n\r\n`,
    ],
    ['204', 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n', `HTTP/1.1 204 No Content\r\nA: b\r\n${close}`],
    [
      '304 with a length',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n${close}`,
    ],
    ['an empty reason', 'HTTP/1.1 207 \r\nContent-Length: 0\r\n\r\n', `HTTP/1.1 207 \r\nContent-Length: 0\r\n${close}`],
    [
      'interim responses (RFC 9110 section 15.2)',
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`,
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n${close}hi`,
    ],
  ])('%s', async (_label, answer, expected) => {
    expect((await ask(get('/', BASIC), answer)).received).toBe(expected)
  })

  test('HEAD has a length and no content (RFC 9110 section 9.3.2)', async () => {
    const { received } = await ask(get('HEAD /', BASIC), 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')
    expect(received).toBe(`HTTP/1.1 200 OK\r\nContent-Length: 500\r\n${close}`)
  })

  test('content until the close becomes chunks, and the connection to the client goes on', async () => {
    await using front = await Front.start((socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'))
    })
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    expect(await client.take('0\r\n\r\n')).toBe(text)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.take('0\r\n\r\n')).toBe(text)
  })

  test('a client of HTTP/1.0 gets chunks as plain content until the close', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    const { received } = await ask(['GET / HTTP/1.0', 'Connection: keep-alive', BASIC, '', ''].join('\r\n'), chunked)
    expect(received).toBe(`HTTP/1.1 200 OK\r\n${close}hello`)
  })

  test.each([
    ['nonsense', '* OK IMAP4rev1 ready\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi'],
    ['a switch that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a challenge for proxies', 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n'],
    ['an endless line of interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17)],
    ['a head beyond its limit', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}`],
  ])('%s is 502, and nothing of it passes', async (_label, answer) => {
    const { received, ended } = await ask(get('/', BASIC), answer)
    const seen = received.replaceAll('HTTP/1.1 103 Early Hints\r\n\r\n', '')
    expect(seen).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n[\s\S]*\r\n\r\n502 Bad Gateway\n$/)
    expect(ended).toBe('refused')
  })

  test('a backend that closes without an answer is 502, one that is silent is 504', async () => {
    await using front = await Front.start((socket) => socket.once('data', () => socket.end()))
    const client = await Client.connect(front.port)
    client.send(get('/', BASIC))
    expect(await client.toEnd()).toMatch(/^HTTP\/1.1 502 /)
    const settings = { directories: [{ mount: '/', responseTimeout: '1s' }] }
    await using silent = await Front.start(() => undefined, { settings })
    const waiting = await Client.connect(silent.port)
    waiting.send(get('/', BASIC))
    expect(await waiting.toEnd()).toMatch(/^HTTP\/1.1 504 /)
  })

  test('an answer that breaks off ends in a reset, so that nobody takes a part for the whole', async () => {
    await using front = await Front.start((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
    })
    const client = await Client.connect(front.port)
    client.send(get('/', BASIC))
    expect(await client.toEnd()).not.toContain('half\r\n')
    expect(await front.ended[0]).toBe('backend-closed')
  })

  test('a kept connection that died is replaced for a GET, and not for a POST (RFC 9110 section 9.2.2)', async () => {
    const seen: string[] = []
    // Every connection answers once, and drops its second request unanswered.
    await using front = await Front.start((socket) => {
      let count = 0
      socket.on('data', (chunk) => {
        seen.push(chunk.toString('latin1').split(' ')[0] ?? '')
        count += 1
        if (count === 1) socket.write(OK)
        else socket.destroy()
      })
    })
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    await client.take('hi')
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.take('hi')).toContain('200 OK')
    client.send('POST / HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.toEnd()).toContain('502 Bad Gateway')
    expect(seen).toEqual(['GET', 'GET', 'GET', 'POST'])
  })

  test('octets behind an answer poison the connection: it is not used again', async () => {
    let connections = 0
    await using front = await Front.start((socket) => {
      connections += 1
      socket.on('data', () => socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`))
    })
    const client = await Client.connect(front.port)
    for (let count = 0; count < 2; count += 1) {
      client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
      expect(await client.take('hi')).not.toContain('evil')
    }
    expect(connections).toBe(2)
  })
})

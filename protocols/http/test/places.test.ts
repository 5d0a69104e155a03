// SPDX-License-Identifier: MIT
import type { MailboxLocation } from '@portico/base'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { answering, BASIC, Client, Front, type World } from './harness.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

/** What one request gets, and what a backend sees of it. */
async function ask(line: string, world: World, fields: readonly string[] = [BASIC]) {
  const heads: string[] = []
  const locations: MailboxLocation[] = []
  await using front = await Front.start(
    answering(heads, () => OK),
    { ...world, routed: (location) => locations.push(location) },
  )
  const client = await Client.connect(front.port)
  client.send(`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...fields, '', '')
  const received = await client.toEnd()
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s)
  const location = /^Location: (.*)$/m.exec(head)?.[1]?.trim()
  return { status: Number(head.split(' ')[1]), head, body, location, heads, locations }
}

describe('components', () => {
  const settings = { directories: [{ preset: 'owa' }, { preset: 'ews', mount: '/ews' }, { mount: '/dav' }] }
  const states = new Map([
    ['owa', 'inactive' as const],
    ['http', 'active' as const],
  ])

  test('requests to a directory whose component is inactive have to wait, those to others go on', async () => {
    const away = await ask('GET /owa/', { settings, states })
    expect(away).toMatchObject({ status: 503, heads: [] })
    expect(away.head).toMatch(/^Retry-After: \d+\r$/m)
    expect((await ask('GET /ews/', { settings, states })).status).toBe(200)
    expect((await ask('GET /dav/', { settings, states })).status).toBe(200)
  })

  test.each([
    ['/owa/HealthCheck.htm', 503],
    ['/OWA/healthcheck.htm', 503],
    ['/ews/healthcheck.htm', 200],
    ['/dav/healthcheck.htm', 200],
    ['/healthcheck.htm', 200],
  ])('the page of health says so: %s is %d', async (path, status) => {
    const answer = await ask(`GET ${path}`, { settings, states }, [])
    expect(answer.status).toBe(status)
    expect(answer.body.includes('200 OK')).toBe(status === 200)
    expect(answer.head).toMatch(/^Cache-Control: no-store\r$/m)
  })

  test('while the protocol is inactive no directory is well', async () => {
    const answer = await ask('GET /ews/healthcheck.htm', { settings, states: new Map([['http', 'inactive']]) }, [])
    expect(answer.status).toBe(503)
  })
})

describe('names under /.well-known/', () => {
  const settings = { directories: [{ mount: '/' }, { preset: 'caldav', mount: '/SOGo/dav' }] }

  test('lead to their directory, method and query with them (RFC 6764 section 5)', async () => {
    const answer = await ask('PROPFIND /.well-known/caldav?a=b', { settings }, ['Content-Length: 0'])
    expect(answer).toMatchObject({ status: 307, location: '/SOGo/dav/?a=b', heads: [] })
  })

  test('others are asked where they belong', async () => {
    expect((await ask('GET /.well-known/carddav', { settings })).heads[0]).toMatch(/^GET \/\.well-known\/carddav HTTP/)
  })
})

describe('paths', () => {
  const settings = { directories: [{ mount: '/dav', encodedSlash: 'pass' }, { mount: '/' }] }

  test.each([
    ['/dav/a%2fb', 'GET /a%2Fb HTTP/1.1'],
    ['/dav/%61//b?x=/../', 'GET /a/b?x=/../ HTTP/1.1'],
  ])('what was matched is what is forwarded: %s', async (path, expected) => {
    expect((await ask(`GET ${path}`, { settings })).heads[0]?.split('\r\n')[0]).toBe(expected)
  })

  test.each(['/a%2fb', '/dav%2fa', '/dav;x/a', '/dav/..;/a', '/dav/%2e%2e%2fa', '/dav/%c0%ae%c0%ae/a', '/dav/a%00'])(
    '%s is refused',
    async (path) => {
      const answer = await ask(`GET ${path}`, { settings })
      expect(answer).toMatchObject({ status: 400, heads: [] })
      expect(answer.head).toMatch(/^Connection: close\r?$/m)
    },
  )
})

describe('a directory with a group of its own', () => {
  const settings = { directories: [{ mount: '/', group: 'web' }] }
  const elsewhere = { group: 'mbx', host: 'mbx1', source: 'users-file', backendUser: 'alice@backend' }

  test('asks there for the user whom the location names', async () => {
    const { heads, locations } = await ask('GET /', { settings, locate: elsewhere })
    expect(locations).toEqual([{ group: 'web', source: 'users-file', backendUser: 'alice@backend' }])
    expect(heads[0]).toContain(`Authorization: Basic ${Buffer.from('alice@backend:secret').toString('base64')}\r\n`)
  })

  test('keeps the place of a location in the same group', async () => {
    const here = { ...elsewhere, group: 'web' }
    expect((await ask('GET /', { settings, locate: here })).locations).toEqual([here])
  })

  test('has users whom no location knows, under their own names', async () => {
    const { heads, locations } = await ask('GET /', { settings, locate: 'none' })
    expect(locations).toEqual([{ group: 'web', source: 'directory' }])
    expect(heads[0]).toContain(`${BASIC}\r\n`)
  })

  test('sends nobody on while it is not known who they are there', async () => {
    expect(await ask('GET /', { settings, locate: 'unavailable' })).toMatchObject({ status: 503, heads: [] })
  })
})

describe('times of a directory', () => {
  test('requestTimeout ends a request that moves all the time', async () => {
    const settings = { directories: [{ mount: '/', requestTimeout: '200ms' }] }
    await using front = await Front.start(
      (socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
          const timer = setInterval(() => socket.write('x'), 20)
          socket.on('close', () => clearInterval(timer))
        })
      },
      { settings },
    )
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(await front.ended[0]).toBe('backend-closed')
  })

  test('and one that has no answer yet gets 504', async () => {
    const settings = { directories: [{ mount: '/', requestTimeout: '200ms' }] }
    await using front = await Front.start((socket) => void socket.on('error', () => undefined), { settings })
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, '', '')
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 504 Gateway Timeout/)
  })

  test('a connection that was within it is used again and not ended by it', async () => {
    const settings = { directories: [{ mount: '/', requestTimeout: '2s' }] }
    const heads: string[] = []
    const socketClock = createFakeClock()
    await using front = await Front.start(
      answering(heads, () => OK),
      { settings, socketClock },
    )
    const client = await Client.connect(front.port)
    client.send('GET /a HTTP/1.1', 'Host: x', BASIC, '', '')
    await client.take('hi')
    await socketClock.advance(2_500)
    client.send('GET /b HTTP/1.1', 'Host: x', BASIC, 'Connection: close', '', '')
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(heads).toHaveLength(2)
  })

  test('requestTimeout is over once a connection has changed its protocol', async () => {
    const settings = { directories: [{ mount: '/', requestTimeout: '2s', upgrades: ['websocket'] }] }
    const socketClock = createFakeClock()
    await using front = await Front.start(
      (socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
          socket.on('data', (chunk) => socket.write(chunk))
          socket.on('end', () => socket.end())
        })
      },
      { settings, socketClock },
    )
    const client = await Client.connect(front.port)
    client.send('GET / HTTP/1.1', 'Host: x', BASIC, 'Connection: Upgrade', 'Upgrade: websocket', '', '')
    await client.take('\r\n\r\n')
    await socketClock.advance(2_500)
    client.send('still there')
    expect(await client.take('still there')).toBe('still there')
    client.socket.end()
    await client.toEnd()
  })

  test('bodyTimeout of a directory counts instead of the one for all', async () => {
    const settings = { bodyTimeout: '1h', directories: [{ mount: '/', bodyTimeout: '100ms' }] }
    await using front = await Front.start((socket) => void socket.on('error', () => undefined), { settings })
    const client = await Client.connect(front.port)
    client.send('PUT / HTTP/1.1', 'Host: x', BASIC, 'Content-Length: 10', '', 'part')
    await client.toEnd()
    expect(await front.ended[0]).toBe('client-closed')
  })
})

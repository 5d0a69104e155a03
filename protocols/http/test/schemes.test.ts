// SPDX-License-Identifier: MIT
import type { Authenticator } from '@portico/auth'
import { type Clock, NEVER, systemClock } from '@portico/base'
import type { Session } from '@portico/session'
import type { Log } from '@portico/telemetry'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type { ClientExchange } from '../src/client/client-exchange.js'
import { Connection, prepare, Shared } from '../src/client/connection.js'
import { readIncoming } from '../src/client/incoming.js'
import { parseRequestHead } from '../src/codec/head.js'
import { type HttpSettings, httpSchema } from '../src/schema.js'
import { signIn } from '../src/sign-in/sign-in.js'
import { answering, BASIC, Client, Front, type World } from './harness.js'
import { type Accounts, accounts, authenticatorFor, CHALLENGE, TYPE_1, ticketOf, type3 } from './schemes-world.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
const LIMITS = { head: 65_536, target: 8_192, fields: 100 }
const ALL = ['negotiate', 'ntlm', 'basic', 'bearer']

interface Setting {
  readonly who: Accounts
  readonly directories?: readonly object[]
  readonly answer?: () => string
  readonly clock?: Clock
  readonly log?: Log
  readonly world?: World
}

/** A front end whose backend believes a header, and what that backend was sent. */
async function start({ who, directories, answer = () => OK, clock, log, world = {} }: Setting) {
  const heads: string[] = []
  const front = await Front.start(answering(heads, answer), {
    settings: { directories: directories ?? [{ mount: '/', auth: ALL }] },
    identity: { kind: 'header', name: 'X-User' },
    listener: { plaintextPasswords: 'always' },
    authenticator: authenticatorFor(who, clock, log),
    ...(clock === undefined ? {} : { clock }),
    ...(log === undefined ? {} : { log }),
    ...world,
  })
  const users = () => heads.map((head) => /\r\nX-User: (.*)\r\n/.exec(head)?.[1])
  return { front, heads, users, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() }
}

/** One request of a client, and the answer's head with the content. */
function ask(client: Client, authorization?: string | Buffer, path = '/', scheme = 'NTLM'): Promise<string> {
  const value = typeof authorization === 'object' ? `${scheme} ${authorization.toString('base64')}` : authorization
  return request(client, path, ...(value === undefined ? [] : [`Authorization: ${value}`]))
}

/** The same, with a field that a proxy has put there. */
function through(client: Client, field: string, octets?: Buffer): Promise<string> {
  return request(
    client,
    '/',
    field,
    ...(octets === undefined ? [] : [`Authorization: NTLM ${octets.toString('base64')}`]),
  )
}

async function request(client: Client, path: string, ...fields: readonly string[]): Promise<string> {
  client.send(`GET ${path} HTTP/1.1`, 'Host: x', ...fields, '', '')
  const head = await client.take('\r\n\r\n')
  const length = Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1])
  await client.until(() => client.received.length >= length)
  client.received = client.received.slice(length)
  return head
}

const asks = (head: string): string[] => [...head.matchAll(/\r\nWWW-Authenticate: (.*)/g)].map(([, line]) => line ?? '')

test('a request without a sign-in is asked for one, a line for each scheme in the order of the directory', async () => {
  await using site = await start({ who: accounts() })
  const client = await Client.connect(site.front.port)
  const head = await ask(client)
  expect(head).toMatch(/^HTTP\/1\.1 401 /)
  expect(asks(head)).toEqual(['Negotiate', 'NTLM', 'Basic realm="Mail", charset="UTF-8"', 'Bearer realm="Mail"'])
})

test.each([
  ['a scheme that the directory does not list', BASIC.slice('Authorization: '.length), 401],
  ['a scheme that nobody knows', 'Digest username="alice"', 401],
  ['what is no scheme at all', '"', 400],
])('%s signs nobody in', async (_label, authorization, status) => {
  const who = accounts()
  await using site = await start({ who, directories: [{ mount: '/', auth: ['bearer'] }] })
  const head = await ask(await Client.connect(site.front.port), authorization)
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  if (status === 401) expect(asks(head)).toEqual(['Bearer realm="Mail"'])
  expect(who.asked).toEqual([])
})

test('what was shown a moment ago is nothing to a directory that does not take it', async () => {
  const directories = [
    { mount: '/a', auth: ['basic'] },
    { mount: '/b', auth: ['bearer'] },
  ]
  await using site = await start({ who: accounts(), directories })
  const client = await Client.connect(site.front.port)
  const basic = BASIC.slice('Authorization: '.length)
  expect(await ask(client, basic, '/a')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await ask(client, basic, '/b')).toMatch(/^HTTP\/1\.1 401 /)
})

describe('a bearer token', () => {
  test('signs its owner in, and is asked about once for several requests', async () => {
    const who = accounts({ tokens: { 'good.token': 'kim' } })
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    for (let i = 0; i < 3; i++) expect(await ask(client, 'Bearer good.token')).toMatch(/^HTTP\/1\.1 200 /)
    expect(site.users()).toEqual(['kim', 'kim', 'kim'])
    expect(who.asked).toEqual(['BEARER'])
    for (const head of site.heads) expect(head).not.toMatch(/good\.token/)
  })

  test.each([
    ['wrong', 401, 'error="invalid_token", error_description="The token is not valid"'],
    ['old', 401, 'error="invalid_token", error_description="The token has expired"'],
    ['narrow', 403, 'error="insufficient_scope", error_description="The token does not allow this"'],
    ['a b', 400, 'error="invalid_request", error_description="The token cannot be read"'],
  ])('that is %s is told so by %d (RFC 6750 section 3.1)', async (token, status, error) => {
    const who = accounts({ expired: new Set(['old']), narrow: new Set(['narrow']) })
    await using site = await start({ who })
    const head = await ask(await Client.connect(site.front.port), `Bearer ${token}`)
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(asks(head)).toContain(`Bearer realm="Mail", ${error}`)
    expect(asks(head)).toHaveLength(status === 401 ? 4 : 1)
  })

  test('is replayed to a backend that takes tokens, over a leg where it may be seen', async () => {
    const who = accounts({ tokens: { 'good.token': 'kim' } })
    await using site = await start({ who, world: { identity: { kind: 'token' } } })
    const client = await Client.connect(site.front.port)
    expect(await ask(client, 'Bearer good.token')).toMatch(/^HTTP\/1\.1 200 /)
    expect(site.heads[0]).toContain('\r\nAuthorization: Bearer good.token\r\n')
    await using other = await start({ who, world: { identity: { kind: 'token' }, cleartextPasswords: 'never' } })
    expect(await ask(await Client.connect(other.front.port), 'Bearer good.token')).toMatch(/^HTTP\/1\.1 503 /)
    expect(other.heads).toEqual([])
  })

  test('is none of those who have shown something else', async () => {
    await using site = await start({ who: accounts(), world: { identity: { kind: 'token' } } })
    const head = await ask(await Client.connect(site.front.port), BASIC.slice('Authorization: '.length))
    expect(head).toMatch(/^HTTP\/1\.1 503 /)
    expect(site.heads).toEqual([])
  })

  test('that its backend refuses has to be got anew, and is looked at again', async () => {
    const who = accounts({ tokens: { 'good.token': 'kim' } })
    const answer = () => 'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="inside"\r\nContent-Length: 0\r\n\r\n'
    await using site = await start({ who, answer, world: { identity: { kind: 'token' } } })
    const client = await Client.connect(site.front.port)
    const head = await ask(client, 'Bearer good.token')
    expect(head).toMatch(/^HTTP\/1\.1 401 /)
    expect(asks(head).at(-1)).toMatch(/^Bearer realm="Mail", error="invalid_token"/)
    await ask(client, 'Bearer good.token')
    expect(who.asked).toEqual(['BEARER', 'BEARER'])
  })
})

describe('a handshake', () => {
  test('takes two requests, and binds its user to the connection', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    const challenge = await ask(client, TYPE_1)
    expect(challenge).toMatch(/^HTTP\/1\.1 401 /)
    expect(asks(challenge)).toEqual([`NTLM ${CHALLENGE.toString('base64')}`])
    expect(await ask(client, type3('kim'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 200 /)
    expect(site.users()).toEqual(['kim', 'kim'])
    expect(who).toMatchObject({ asked: ['NTLM 1', 'NTLM 3'], open: 0 })
  })

  test('of one connection is nothing to another', async () => {
    const who = accounts()
    await using site = await start({ who })
    const [one, other] = [await Client.connect(site.front.port), await Client.connect(site.front.port)]
    await ask(one, TYPE_1)
    const stray = await ask(other, type3('kim'))
    expect(stray).toMatch(/^HTTP\/1\.1 401 /)
    expect(asks(stray)).toContain('NTLM')
    expect(await ask(one, type3('kim'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask(other)).toMatch(/^HTTP\/1\.1 401 /)
    expect(site.users()).toEqual(['kim'])
  })

  test('has its last octets with the answer of the backend, for a client that wants to know us (RFC 4559 section 5)', async () => {
    await using site = await start({ who: accounts() })
    const client = await Client.connect(site.front.port)
    const head = await ask(client, ticketOf('kim'), '/', 'Negotiate')
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(asks(head)).toEqual([`Negotiate ${Buffer.from('mutual').toString('base64')}`])
    expect(asks(await ask(client))).toEqual([])
    expect(site.users()).toEqual(['kim', 'kim'])
  })

  test('may begin anew at any time, and then is of whoever comes now', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    await ask(client, TYPE_1)
    expect(who.open).toBe(1)
    await ask(client, type3('kim'))
    await ask(client, TYPE_1)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 401 /)
    await ask(client, type3('zoe'))
    expect(site.users()).toEqual(['kim', 'zoe'])
  })

  test('that is begun again and again without an end costs the connection', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    for (let i = 0; i < 3; i++) expect(await ask(client, TYPE_1)).not.toContain('Connection: close')
    expect(await ask(client, TYPE_1)).toContain('Connection: close')
    expect(await Promise.all(site.front.ended)).toEqual(['too-many-failures'])
    expect(who.open).toBe(0)
  })

  test('that fails leaves nobody bound, and is asked for again', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    await ask(client, type3('kim'))
    await ask(client, TYPE_1)
    const head = await ask(client, type3('zoe', 'wrong'))
    expect(head).toMatch(/^HTTP\/1\.1 401 /)
    expect(asks(head)).toHaveLength(4)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 401 /)
    expect(site.users()).toEqual(['kim'])
    expect(who.open).toBe(0)
  })

  test('holds in directories that list its scheme, and in no other', async () => {
    const directories = [
      { mount: '/ews', auth: ['ntlm'] },
      { mount: '/dav', auth: ['basic'] },
    ]
    await using site = await start({ who: accounts(), directories })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1, '/ews')
    await ask(client, type3('kim'), '/ews')
    expect(asks(await ask(client, undefined, '/dav'))).toEqual(['Basic realm="Mail", charset="UTF-8"'])
    expect(await ask(client, undefined, '/ews')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('is over once the client shows something else', async () => {
    await using site = await start({ who: accounts() })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    await ask(client, type3('kim'))
    await ask(client, BASIC.slice('Authorization: '.length))
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 401 /)
    expect(site.users()).toEqual(['kim', 'alice'])
  })

  test('is over once somebody else signs in by our page, or signs out there', async () => {
    await using site = await start({ who: accounts(), directories: [{ mount: '/', auth: ['ntlm', 'forms'] }] })
    const client = await Client.connect(site.front.port)
    const bind = async () => {
      await ask(client, TYPE_1)
      expect(await ask(client, type3('alice'))).toMatch(/^HTTP\/1\.1 200 /)
    }
    await bind()
    client.send('GET /auth/logon.aspx HTTP/1.1', 'Host: x', '', '')
    const page = await client.take('</html>\n')
    const cookie = /portico-page=[^;]*/.exec(page)?.[0]
    const token = /name="token" value="([^"]*)"/.exec(page)?.[1] ?? ''
    const form = new URLSearchParams({ username: 'bob', password: 'secret', destination: '/', token }).toString()
    const type = 'Content-Type: application/x-www-form-urlencoded'
    client.send(
      'POST /auth.owa HTTP/1.1',
      'Host: x',
      `Cookie: ${cookie}`,
      type,
      `Content-Length: ${form.length}`,
      '',
      form,
    )
    const signedIn = await client.take('\r\n\r\n')
    await client.take('302 Found\n')
    const own = /portico-sign-in=[^;]*/.exec(signedIn)?.[0]
    client.send('GET / HTTP/1.1', 'Host: x', `Cookie: ${own}`, '', '')
    await client.take('hi')
    expect(site.users()).toEqual(['alice', 'bob'])
    await bind()
    expect(await ask(client, undefined, '/auth/logoff.aspx')).toMatch(/^HTTP\/1\.1 302 /)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('holds as long as the account does: it is asked about every five seconds', async () => {
    const [who, clock] = [accounts(), createFakeClock()]
    await using site = await start({ who, clock })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    await ask(client, type3('kim'))
    await clock.advance(4_999)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 200 /)
    expect(who.asked).not.toContain('account of kim')
    await clock.advance(1)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 200 /)
    expect(who.asked.filter((what) => what === 'account of kim')).toHaveLength(1)
    who.disabled.add('kim')
    await clock.advance(5_000)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 403 /)
    expect(await ask(client)).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('ends with its connection, wherever it stands', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    expect(who.open).toBe(1)
    client.socket.end()
    await Promise.all(site.front.ended)
    expect(who.open).toBe(0)
  })

  test.each(['NTLM', 'NTLM !!', 'Negotiate '])('%j is malformed', async (authorization) => {
    const who = accounts()
    await using site = await start({ who })
    expect(await ask(await Client.connect(site.front.port), authorization)).toMatch(/^HTTP\/1\.1 400 /)
    expect(who.open).toBe(0)
  })

  test('is not for the connection of a proxy, which carries many clients', async () => {
    const who = accounts()
    await using site = await start({ who, world: { isProxy: true } })
    const client = await Client.connect(site.front.port)
    expect(asks(await ask(client))).toEqual(['Basic realm="Mail", charset="UTF-8"', 'Bearer realm="Mail"'])
    expect(asks(await ask(client, TYPE_1))).toEqual(['Basic realm="Mail", charset="UTF-8"', 'Bearer realm="Mail"'])
    expect(who.asked).toEqual([])
  })
})

describe('a handshake through a proxy that nobody has listed', () => {
  const OTHERS = ['Basic realm="Mail", charset="UTF-8"', 'Bearer realm="Mail"']

  test.each(['Via: 1.1 cache', 'Forwarded: for=192.0.2.9', 'X-Forwarded-For: 192.0.2.9'])(
    '%s: is not offered, and not taken (RFC 4559 section 6)',
    async (field) => {
      const who = accounts()
      await using site = await start({ who })
      const client = await Client.connect(site.front.port)
      expect(asks(await through(client, field))).toEqual(OTHERS)
      expect(asks(await through(client, field, TYPE_1))).toEqual(OTHERS)
      expect(who.asked).toEqual([])
    },
  )

  test('another request of the connection is nobody, whoever signed in before', async () => {
    const who = accounts()
    await using site = await start({ who })
    const client = await Client.connect(site.front.port)
    await ask(client, TYPE_1)
    expect(await ask(client, type3('kim'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(asks(await through(client, 'Via: 1.1 cache'))).toEqual(OTHERS)
    expect(asks(await ask(client))).toEqual(OTHERS)
    expect(who.open).toBe(0)
  })
})

describe('over HTTP/2, where requests share a connection', () => {
  /** What comes of a request by itself. */
  async function over2(who: Accounts, auth: readonly string[], authorization?: string) {
    const settings = httpSchema.parse({ directories: [{ mount: '/', auth }] }) as HttpSettings
    const [directory] = settings.directories
    const lines = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`
    const head = parseRequestHead(Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n${lines}\r\n`, 'latin1'), LIMITS)
    const request = head.kind === 'bad' ? head : readIncoming(head)
    if ('kind' in request || directory === undefined) throw new Error('no request')
    const session = streamSession(authenticatorFor(who))
    const client = { ownLeg: undefined } as ClientExchange
    const connection = new Connection(session, client, new Shared(session, prepare(settings)))
    return signIn(connection, request, { kind: 'placed', directory, rest: '/' })
  }

  function streamSession(authenticator: Authenticator): Session {
    const peer = { address: '192.0.2.7', port: 40_000, family: 4 } as const
    return {
      id: 's1',
      protocol: 'http',
      listener: { plaintextPasswords: 'always' },
      leg: { facts: { peer, local: peer }, tls: undefined },
      networks: [],
      isProxy: false,
      services: { authenticator, clock: systemClock, limits: { failures: 5 } },
      signal: NEVER,
      record: { begin() {}, finish() {} },
    } as unknown as Session
  }

  test.each([
    ['nothing', undefined],
    ['a handshake', `NTLM ${TYPE_1.toString('base64')}`],
    ['a scheme that is not listed', 'Digest x'],
  ])('a client that shows %s is sent to HTTP/1.1, where it can sign in', async (_label, authorization) => {
    const who = accounts()
    expect(await over2(who, ALL, authorization)).toMatchObject({ kind: 'reply', needsOwnLeg: true })
    expect(who.open).toBe(0)
  })

  test('one that shows a password or a token need not, whether it is right or wrong', async () => {
    const who = accounts({ tokens: { 'good.token': 'kim' } })
    expect(await over2(who, ALL, BASIC.slice('Authorization: '.length))).toMatchObject({ kind: 'authenticated' })
    expect(await over2(who, ALL, 'Bearer good.token')).toMatchObject({ kind: 'authenticated' })
    const wrong = await over2(who, ALL, 'Bearer bad.token')
    expect(wrong).not.toHaveProperty('needsOwnLeg')
    expect(wrong).toMatchObject({ reply: { status: 401, fields: expect.stringContaining('Basic') } })
    expect(wrong).toMatchObject({ reply: { fields: expect.not.stringContaining('NTLM') } })
  })

  test('one that could not sign in by more in HTTP/1.1 stays', async () => {
    const asked = await over2(accounts(), ['basic', 'bearer'])
    expect(asked).toMatchObject({ kind: 'reply', reply: { status: 401 } })
    expect(asked).not.toHaveProperty('needsOwnLeg')
  })
})

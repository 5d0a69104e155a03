// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { createHash, createHmac, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AuthHttpOptions,
  type AuthHttpRoute,
  authSchema,
  createAuthenticator,
  createAuthHttpSource,
  createThrottle,
} from '@portico/auth'
import { CancellationSource, type Clock, NEVER, Secret, systemClock } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock, credentialSourceCompliance, type FakeClock, testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, recordingLog, requestOf } from './helpers.js'

type Answer = Record<string, string> | ((response: ServerResponse) => void)

/** The far side as nginx's documentation has it. */
async function service(
  answer: (headers: IncomingHttpHeaders) => Answer,
  clock: Clock = systemClock,
  more: Partial<AuthHttpOptions> = {},
) {
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
  const url = `http://127.0.0.1:${port}/auth`
  const source = createAuthHttpSource({ url, timeoutMs: 5_000, headers, clock, log, ...more })
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
    const client = clientAt('192.0.2.42', { tlsVersion: 'TLSv1.3', tlsCipher: 'TLS_AES_256_GCM_SHA384' })
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
      'auth-ssl-cipher': 'TLS_AES_256_GCM_SHA384',
      'x-shared': 'between-us',
      'x-door': 'portico',
    })
    expect(Object.keys(far.asked[0] ?? {})).not.toContain('auth-ssl-verify')
    expect(Object.keys(far.asked[0] ?? {})).not.toContain('auth-salt')
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

  test('names the client, where the site wants that, for recipients too', async () => {
    const clientHosts = { nameOf: async ({ address }: { address: string }) => `host-${address}` }
    await using far = await service(() => OK, systemClock, { clientHosts })
    await far.source.verify(requestOf('alice', 'secret', { client: clientAt('192.0.2.42') }), NEVER)
    const asker = { client: { address: '192.0.2.43', port: 1, family: 4 }, helo: 'x', sender: '' } as const
    await far.source.lookupAddress({ kind: 'address', local: 'a', domain: 'b', asker }, NEVER)
    expect(far.asked.map((headers) => headers['client-host'])).toEqual(['host-192.0.2.42', 'host-192.0.2.43'])
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

  test('brings it anew for a sign-in of earlier that kept its password, which may be another by now', async () => {
    let password = 'secret'
    await using far = await service(({ 'auth-pass': shown }) => (shown === password ? OK : REFUSED))
    const answer = await far.source.verify(requestOf('Alice', password), NEVER)
    if (answer.kind !== 'accepted') throw new Error(answer.kind)
    const earlier = { ...answer.principal, password: new Secret(password) }
    const { password: _, ...request } = requestOf('alice', '')
    const again = () => far.source.account?.({ ...request, mechanism: 'FORMS', earlier }, NEVER)
    expect(await again()).toMatchObject({
      kind: 'accepted',
      principal: { authcid: 'Alice', user: 'alice', route: { value: { host: '198.51.100.1' } } },
    })
    expect(far.asked.at(-1)?.['auth-user']).toBe('Alice')
    password = 'another'
    expect(await again()).toMatchObject({ kind: 'rejected', reason: 'invalid-credentials' })
  })

  test('is not asked for a sign-in of earlier without its password: it stays what it was, without a route', async () => {
    await using far = await service(() => OK)
    const answer = await far.source.verify(requestOf('alice', 'secret'), NEVER)
    if (answer.kind !== 'accepted') throw new Error(answer.kind)
    const { password: _, ...request } = requestOf('alice', '')
    const now = await far.source.account?.({ ...request, earlier: answer.principal }, NEVER)
    expect(now).toMatchObject({ kind: 'accepted', principal: { user: 'alice', proof: {} } })
    expect(now).not.toHaveProperty('principal.route')
    expect(far.asked).toHaveLength(1)
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

  test('is asked for by the protocol that is to reach it', async () => {
    await using far = await service(() => OK)
    await far.source.lookupAddress({ ...address, protocol: 'sip' }, NEVER)
    expect(far.asked[0]).toMatchObject({ 'auth-method': 'none', 'auth-protocol': 'sip' })
  })

  test.each([
    ['', 'MAIL FROM: <>'],
    ['a b@x.lan', 'MAIL FROM: <a%20b@x.lan>'],
  ])('of whom, from where and by what name: sender "%s"', async (sender, from) => {
    await using far = await service(() => OK)
    const client = { address: '192.0.2.42', port: 4711, family: 4 } as const
    await far.source.lookupAddress({ ...address, asker: { client, helo: 'client.example.org', sender } }, NEVER)
    expect(far.asked[0]).toMatchObject({
      'client-ip': '192.0.2.42',
      'auth-smtp-helo': 'client.example.org',
      'auth-smtp-from': from,
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

describe('a client certificate', () => {
  const { certificate } = testCertificates().client
  const { raw } = new X509Certificate(certificate)
  const names = { fingerprint: 'f'.repeat(64) }
  const question = (more: object = {}, authorized = true) => ({
    names,
    authcid: 'certificate ffff',
    mechanism: 'EXTERNAL',
    attempt: 1,
    client: clientAt(undefined, {
      certificate: { authorized, raw, ...(authorized ? {} : { reason: 'CERT expired' }) },
    }),
    ...more,
  })

  test('goes along as nginx describes it, for passwords too', async () => {
    await using far = await service(() => OK, systemClock, { passClientCertificate: true })
    await far.source.verify(requestOf('alice', 'secret', { client: question().client }), NEVER)
    await far.source.verify(requestOf('alice', 'secret', { client: question({}, false).client }), NEVER)
    expect(far.asked[0]).toMatchObject({
      'auth-method': 'plain',
      'auth-ssl-verify': 'SUCCESS',
      'auth-ssl-subject': 'CN=alice',
      'auth-ssl-issuer': 'CN=Test CA',
      'auth-ssl-serial': new X509Certificate(certificate).serialNumber,
      'auth-ssl-fingerprint': createHash('sha1').update(raw).digest('hex'),
    })
    expect(decodeURIComponent(String(far.asked[0]?.['auth-ssl-cert'])).trim()).toBe(certificate.trim())
    expect(far.asked[1]?.['auth-ssl-verify']).toBe('FAILED:CERT%20expired')
  })

  test('goes along without a subject where it has none but alternative names (RFC 5280 section 4.1.2.6)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portico-nameless-'))
    const [key, pem] = [join(folder, 'key'), join(folder, 'pem')]
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
    const named = ['-subj', '/', '-addext', 'subjectAltName=critical,email:alice@test.lan']
    execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '3', ...named, '-out', pem], { stdio: 'pipe' })
    const nameless = new X509Certificate(readFileSync(pem)).raw
    rmSync(folder, { recursive: true })
    await using far = await service(() => OK)
    const client = clientAt(undefined, { certificate: { authorized: true, raw: nameless } })
    expect((await far.source.verify(requestOf('alice', 'secret', { client }), NEVER)).kind).toBe('accepted')
    expect(far.asked[0]).toMatchObject({ 'auth-ssl-verify': 'SUCCESS' })
    expect(far.asked[0]).not.toHaveProperty('auth-ssl-subject')
    expect(far.asked[0]).not.toHaveProperty('auth-ssl-issuer')
  })

  test.each([
    ['was asked for and none was shown', { certificateAsked: true }, 'NONE'],
    ['was not asked for', {}, undefined],
  ])('that %s', async (_label, more, verify) => {
    await using far = await service(() => OK)
    await far.source.verify(requestOf('alice', 'secret', { client: clientAt(undefined, more) }), NEVER)
    expect(far.asked[0]?.['auth-ssl-verify']).toBe(verify)
  })

  test('stays here as PEM unless the site says otherwise', async () => {
    await using far = await service(() => OK)
    await far.source.verify(requestOf('alice', 'secret', { client: question().client }), NEVER)
    expect(far.asked[0]).not.toHaveProperty('auth-ssl-cert')
  })

  test.each([
    ['the name that the client asks for', { authzid: 'Bob', names: { ...names, name: 'alice' } }, OK, 'Bob', 'bob'],
    ['the name in the certificate', { names: { ...names, name: 'alice' } }, OK, 'alice', 'alice'],
    ['the name that the service tells', {}, { ...OK, 'Auth-User': 'carol' }, '', 'carol'],
  ])('is judged by the service, as %s', async (_label, more, reply, user, principal) => {
    await using far = await service(() => reply, systemClock, { methods: ['external'] })
    const answer = await far.source.ownerOf?.(question(more), NEVER)
    expect(answer).toMatchObject({
      kind: 'accepted',
      principal: { user: principal, strength: 'certificate', proof: {} },
    })
    expect(far.asked[0]).toMatchObject({ 'auth-method': 'external', 'auth-user': user, 'auth-pass': '' })
    expect(far.asked[0]).toMatchObject({ 'auth-ssl-verify': 'SUCCESS', 'auth-ssl-subject': 'CN=alice' })
  })

  test.each([
    ['refused', {}, REFUSED, 'rejected'],
    ['nobody that the service could name', {}, OK, 'rejected'],
    ['put off', {}, { 'Auth-Status': 'WAIT' }, 'unavailable'],
    [
      'only told of by a balancer',
      { client: clientAt(undefined, { certificate: { authorized: true, commonName: 'alice' } }) },
      OK,
      'not-here',
    ],
  ])('that is %s', async (_label, more, reply, kind) => {
    await using far = await service(() => reply, systemClock, { methods: ['external'] })
    expect((await far.source.ownerOf?.(question(more), NEVER))?.kind).toBe(kind)
  })

  test('is not a matter for a service of which the site does not say so', async () => {
    await using far = await service(() => OK)
    expect(far.source.serves.has('certificate')).toBe(false)
    expect((await far.source.ownerOf?.(question(), NEVER))?.kind).toBe('not-here')
    expect(far.asked).toEqual([])
  })
})

describe('CRAM-MD5', () => {
  /** What nginx's documentation asks of a service: it knows the password, computes, and gives it for the backend. */
  const judge = (headers: IncomingHttpHeaders): Answer => {
    const { 'auth-method': method, 'auth-salt': salt = '', 'auth-pass': pass } = headers
    const right = createHmac('md5', 'secret').update(String(salt)).digest('hex') === pass
    return method === 'cram-md5' && right ? { ...OK, 'Auth-Pass': 'secret' } : REFUSED
  }

  const signIn = async (far: Awaited<ReturnType<typeof service>>, password: string, more: object = {}) => {
    const clock = createFakeClock()
    const throttle = createThrottle({ settings: authSchema.parse({}), state: createMemoryStore({ clock }), clock })
    const passwordProtocols = new Set(['imap4'] as const)
    const parts = { mechanisms: serverMechanisms, throttle, clock, log: recordingLog(), passwordProtocols, ...more }
    const auth = createAuthenticator({ sources: [far.source], proofsOf: 'any', ...parts })
    await using attempt = auth.begin('CRAM-MD5', contextAt(), NEVER)
    const asked = await attempt.step(undefined)
    if (asked.kind !== 'challenge') return asked
    return attempt.step(Buffer.from(`alice ${createHmac('md5', password).update(asked.data).digest('hex')}`))
  }

  test('is judged by the service, which also gives the password for the backend', async () => {
    await using far = await service(judge, systemClock, { methods: ['cram-md5'] })
    const outcome = await signIn(far, 'secret')
    expect(outcome).toMatchObject({
      kind: 'authenticated',
      principal: { user: 'alice', mechanism: 'CRAM-MD5', strength: 'proof', proof: {} },
    })
    expect(far.asked[0]).toMatchObject({ 'auth-method': 'cram-md5', 'auth-user': 'alice' })
    expect(far.asked[0]?.['auth-salt']).toMatch(/^<[^ ]+@mail\.example\.com>$/)
  })

  test.each([
    ['a wrong response', judge, 'invalid-credentials', 3_000],
    ['a service in trouble', () => ({}), 'lookup-unavailable', 0],
  ])('%s', async (_label, answer, reason, waitMs) => {
    await using far = await service(answer, systemClock, { methods: ['cram-md5'] })
    expect(await signIn(far, 'wrong')).toMatchObject({ kind: 'failed', reason, waitMs })
  })

  test('is not offered where the site does not say that the service knows it', async () => {
    await using far = await service(judge)
    expect(await signIn(far, 'secret')).toMatchObject({ kind: 'failed', reason: 'mechanism-unavailable' })
    expect(far.asked).toEqual([])
  })
})

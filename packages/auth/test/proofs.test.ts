// SPDX-License-Identifier: MIT
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AuthContext,
  type AuthenticatorOptions,
  allowedMechanisms,
  authSchema,
  type CredentialSource,
  createAuthenticator,
  createDeferredSource,
  createThrottle,
  createUsersFileSource,
  openUsersFile,
} from '@portico/auth'
import { NEVER } from '@portico/base'
import { type ScramHash, scramClient, serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { md5Block, md5Finish } from '../src/hash/md5.js'
import { clientAt, contextAt, hashThreads, recordingLog } from './helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'proofs-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

// Made by `doveadm pw` for the password "secret".
const SHA256 =
  '{SCRAM-SHA-256}4096,lJhcxYFSwSm8rDrpqseH7w==,k/F9Ux28KLb/+t67TBcwGLIo0afAhvjtVjHXc3ROR9M=,HjCnnpVdyonjkQvz7opAOd+h3z67vvRCybLS0CWhpco='
const SHA1 = '{SCRAM-SHA-1}4096,g1Qem8xrsFYkKlHvxIUyVg==,3E0oWi1MAg552YogjH8Czte3nhg=,IDK2UTN9Y/HYBiFvWylARK7fT60='
const CRAM = '{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56'
const BCRYPT = '{BLF-CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.pIKrLVkBX9/OvQMSygY1pWEVn72t6na'
const EXPORTED = Buffer.from('exported')

const bound = (): AuthContext =>
  contextAt(undefined, {
    channel: { encrypted: true, channelBinding: (type) => (type === 'tls-exporter' ? EXPORTED : undefined) },
  })

function setUp(
  lines: readonly string[],
  more: Partial<AuthenticatorOptions> & { readonly others?: readonly CredentialSource[]; stripDomain?: boolean } = {},
) {
  const { others = [], stripDomain = false, ...options } = more
  const [clock, log] = [createFakeClock(), recordingLog()]
  const path = join(folder, `users${files++}`)
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  const file = openUsersFile({ path, clock, log, stripDomain })
  const throttle = createThrottle({ settings: authSchema.parse({}), state: createMemoryStore({ clock }), clock })
  const source = createUsersFileSource(file, { hashThreads })
  const sources = [source, ...others]
  const auth = createAuthenticator({ sources, mechanisms: serverMechanisms, throttle, clock, log, ...options })
  return { auth, clock, log, path, source }
}

type Auth = ReturnType<typeof setUp>['auth']

async function signIn(
  auth: Auth,
  name: string,
  authcid: string,
  password: string,
  more: { readonly context?: AuthContext; readonly authzid?: string } = {},
) {
  const { context = contextAt(), ...rest } = more
  const hash: ScramHash = name.startsWith('SCRAM-SHA-256') ? 'sha256' : 'sha1'
  const binding = name.endsWith('-PLUS') ? { binding: { type: 'tls-exporter', data: EXPORTED } } : {}
  const client = scramClient({ hash, authcid, password, nonce: 'mine', ...binding, ...rest })
  await using attempt = auth.begin(name, context, NEVER)
  const first = await attempt.step(client.first)
  if (first.kind !== 'challenge') return { outcome: first, salt: undefined }
  const salt = /s=([^,]+),i=(\d+)/.exec(Buffer.from(first.data).toString())?.[0]
  const final = await attempt.step(await client.final(first.data))
  if (final.kind !== 'challenge') return { outcome: final, salt }
  expect(client.verify(final.data)).toBe(true)
  return { outcome: await attempt.step(Buffer.alloc(0)), salt }
}

async function cram(auth: Auth, user: string, password: string) {
  await using attempt = auth.begin('CRAM-MD5', contextAt(), NEVER)
  const asked = await attempt.step(undefined)
  if (asked.kind !== 'challenge') return asked
  return attempt.step(Buffer.from(`${user} ${createHmac('md5', password).update(asked.data).digest('hex')}`))
}

describe('SCRAM against a users file', () => {
  test.each([
    ['SCRAM-SHA-256', SHA256],
    ['SCRAM-SHA-256-PLUS', SHA256],
    ['SCRAM-SHA-1', SHA1],
    ['SCRAM-SHA-1-PLUS', SHA1],
    ['SCRAM-SHA-256', '{PLAIN}secret'],
    ['SCRAM-SHA-1', '{PLAIN}secret'],
  ])('%s with an account that is stored as %s', async (name, stored) => {
    const { auth, log } = setUp([`alice:${stored}::::::group=mbx1`])
    const { outcome } = await signIn(auth, name, 'alice', 'secret', { context: bound() })
    expect(outcome).toMatchObject({
      kind: 'authenticated',
      deferred: false,
      principal: {
        authcid: 'alice',
        user: 'alice',
        mechanism: name,
        strength: 'proof',
        source: 'users-file',
        proof: {},
      },
    })
    expect(log.lines.join()).toMatch(/signed in/)
    const wrong = await signIn(auth, name, 'alice', 'wrong', { context: bound() })
    expect(wrong.outcome).toMatchObject({ kind: 'failed', reason: 'invalid-credentials', user: 'alice' })
  })

  test('wrong proofs are held back longer and longer, and then not looked at; others are not affected', async () => {
    const { auth } = setUp([`alice:${SHA256}`, `bob:${SHA256}`])
    const waits: number[] = []
    const reasons = new Set<string>()
    for (let i = 0; i < 11; i++) {
      const { outcome } = await signIn(auth, 'SCRAM-SHA-256', 'alice', 'wrong')
      if (outcome.kind !== 'failed') throw new Error('let in')
      waits.push(outcome.waitMs)
      reasons.add(outcome.reason)
    }
    expect(waits.slice(0, 5)).toEqual([0, 2_000, 4_000, 8_000, 15_000])
    expect([...reasons]).toEqual(['invalid-credentials', 'throttled'])
    expect((await signIn(auth, 'SCRAM-SHA-256', 'bob', 'secret')).outcome.kind).toBe('authenticated')
  })

  test('exchanges that are opened before the limit and finished after it are not looked at', async () => {
    const { auth } = setUp([`alice:${SHA256}`])
    const client = scramClient({ hash: 'sha256', authcid: 'alice', password: 'secret', nonce: 'mine' })
    await using early = auth.begin('SCRAM-SHA-256', contextAt(), NEVER)
    const first = await early.step(client.first)
    for (let i = 0; i < 10; i++) await signIn(auth, 'SCRAM-SHA-256', 'alice', 'wrong')
    if (first.kind !== 'challenge') throw new Error('no challenge')
    expect(await early.step(await client.final(first.data))).toMatchObject({ kind: 'failed', reason: 'throttled' })
  })

  test('an authzid needs a policy (RFC 4422 section 3.4.1)', async () => {
    const { auth } = setUp([`alice:${SHA256}`], { mayActFor: (principal) => principal.authcid === 'admin' })
    const { outcome } = await signIn(auth, 'SCRAM-SHA-256', 'alice', 'secret', { authzid: 'bob' })
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'unauthorized-identity' })
    const own = await signIn(auth, 'SCRAM-SHA-256', 'alice', 'secret', { authzid: 'alice' })
    expect(own.outcome.kind).toBe('authenticated')
  })

  test('that an account is barred is told only after a right proof', async () => {
    const { auth } = setUp([`alice:${SHA256}::::::nologin`])
    const right = await signIn(auth, 'SCRAM-SHA-256', 'alice', 'secret')
    expect(right.outcome).toMatchObject({ reason: 'account-disabled' })
    expect((await signIn(auth, 'SCRAM-SHA-256', 'alice', 'x')).outcome).toMatchObject({ reason: 'invalid-credentials' })
  })
})

test('a line that only bars its user is no way around the bar for the next source', async () => {
  const next = setUp([`alice:${SHA256}`]).source
  const barring = setUp(['alice:::::::nologin', `bob:${SHA256}`], { others: [next] })
  expect((await signIn(barring.auth, 'SCRAM-SHA-256', 'alice', 'secret')).outcome).toMatchObject({
    kind: 'failed',
    reason: 'invalid-credentials',
  })
  const routing = setUp(['alice:::::::group=g', `bob:${SHA256}`], { others: [next] })
  expect((await signIn(routing.auth, 'SCRAM-SHA-256', 'alice', 'secret')).outcome.kind).toBe('authenticated')
})

describe('a name without an account', () => {
  const LINES = [`alice:${SHA256}`, 'carol:{PLAIN}secret', `dave:${BCRYPT}`]

  test('has a salt of its own that stays the same, in every process that serves the file', async () => {
    const [one, other] = [setUp(LINES, { proofsOf: 'any' }), setUp(LINES, { proofsOf: 'any' })]
    const salts = new Set<string | undefined>()
    for (const user of ['alice', 'carol', 'dave', 'nobody', 'somebody', 'anybody']) {
      const first = await signIn(one.auth, 'SCRAM-SHA-256', user, 'guess')
      const second = await signIn(other.auth, 'SCRAM-SHA-256', user.toUpperCase(), 'guess')
      expect(first.salt).toMatch(/^s=[A-Za-z0-9+/]{22}==,i=4096$/)
      expect(second.salt).toBe(first.salt)
      expect(first.outcome).toEqual({ kind: 'failed', reason: 'invalid-credentials', waitMs: 0, user })
      salts.add(first.salt)
    }
    expect(salts.size).toBe(6)
  })

  test('has one salt for all its domains where accounts have', async () => {
    const { auth } = setUp(LINES, { stripDomain: true, proofsOf: 'any' })
    for (const name of ['carol', 'nobody']) {
      const [one, two] = [`${name}@one.test`, `${name}@two.test`].map((user) =>
        signIn(auth, 'SCRAM-SHA-256', user, 'x'),
      )
      expect((await one)?.salt).toBe((await two)?.salt)
    }
  })

  test('keeps its salt when the file changes', async () => {
    const { auth, clock, path } = setUp([`alice:${SHA256}`, `bob:${SHA256}`])
    const before = await signIn(auth, 'SCRAM-SHA-256', 'nobody', 'x')
    writeFileSync(path, `alice:${SHA256}\n`)
    await clock.advance(2_000)
    expect((await signIn(auth, 'SCRAM-SHA-256', 'bob', 'secret')).outcome.kind).toBe('failed')
    expect((await signIn(auth, 'SCRAM-SHA-256', 'nobody', 'x')).salt).toBe(before.salt)
  })

  test('is not let in by the password of the account whose work stands in for it', async () => {
    const { auth } = setUp(['alice:{PLAIN}secret'])
    expect((await signIn(auth, 'SCRAM-SHA-256', 'nobody', 'secret')).outcome.kind).toBe('failed')
    expect((await cram(auth, 'nobody', 'secret')).kind).toBe('failed')
  })
})

describe('what is offered', () => {
  const PASSWORDS = ['PLAIN', 'LOGIN']
  test.each([
    ['every account has both forms', ['a:{PLAIN}x'], {}, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', ...PASSWORDS]],
    ['every account has one form', [`a:${SHA256}`], {}, ['SCRAM-SHA-256', ...PASSWORDS]],
    ['one account has none', [`a:${SHA256}`, `b:${BCRYPT}`], {}, PASSWORDS],
    [
      'one has none, and the site names it',
      [`a:${SHA256}`, `b:${BCRYPT}`],
      { proofsOf: 'any' },
      ['SCRAM-SHA-256', ...PASSWORDS],
    ],
    ['accounts that are only routed do not count', [`a:${SHA1}`, 'b:::::::group=g'], {}, ['SCRAM-SHA-1', ...PASSWORDS]],
    ['another source proves as well', [`a:${SHA256}`], { others: [createDeferredSource()] }, PASSWORDS],
    ['the backends take passwords only', ['a:{PLAIN}x'], { passwordProtocols: new Set(['imap4']) }, PASSWORDS],
    ['an account for anonymous clients', [`a:${BCRYPT}`], { anonymousUser: 'guest' }, [...PASSWORDS, 'ANONYMOUS']],
  ] as const)('%s', (_label, lines, more, names) => {
    const { auth } = setUp(lines, more)
    expect(auth.mechanisms(contextAt())).toEqual(names)
  })

  test('-PLUS where TLS has a channel binding', () => {
    const { auth } = setUp([`a:${SHA256}`])
    expect(auth.mechanisms(bound())).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', ...PASSWORDS])
  })

  test('without encryption, proofs only', async () => {
    const { auth } = setUp([`a:${SHA256}`])
    const client = clientAt(undefined, { encrypted: false })
    const context = contextAt(undefined, { client, channel: { encrypted: false, channelBinding: () => undefined } })
    expect(auth.mechanisms(context)).toEqual(['SCRAM-SHA-256'])
    expect((await signIn(auth, 'SCRAM-SHA-256', 'a', 'secret', { context })).outcome.kind).toBe('authenticated')
  })

  test('what is not offered does not begin, and a client that could bind is told of tampering (RFC 5802 section 6)', async () => {
    const { auth } = setUp([`a:${SHA256}`])
    await using withheld = auth.begin('CRAM-MD5', bound(), NEVER)
    expect(await withheld.step(undefined)).toMatchObject({ kind: 'failed', reason: 'mechanism-unavailable' })
    await using stripped = auth.begin('SCRAM-SHA-256', bound(), NEVER)
    expect(await stripped.step(Buffer.from('y,,n=a,r=x'))).toMatchObject({ reason: 'invalid-credentials' })
  })

  test('a file that changes changes the offer', async () => {
    const { auth, clock, path } = setUp([`a:${SHA256}`])
    writeFileSync(path, `a:${BCRYPT}\n`)
    await clock.advance(2_000)
    expect(auth.mechanisms(contextAt())).toEqual(PASSWORDS)
  })

  test('old and open doors only where they are named', () => {
    const names = (mechanisms?: string[]) => allowedMechanisms(authSchema.parse({ mechanisms })).map(({ name }) => name)
    expect(names()).not.toContain('CRAM-MD5')
    expect(names()).not.toContain('APOP')
    expect(names()).not.toContain('ANONYMOUS')
    expect(names()).not.toContain('EXTERNAL')
    expect(names()).toContain('SCRAM-SHA-256')
    expect(names(['plain', 'cram-md5'])).toEqual(['CRAM-MD5', 'PLAIN'])
    expect(() => authSchema.parse({ mechanisms: ['NTLM'] })).toThrow(/expected one of EXTERNAL, SCRAM-SHA-256-PLUS/)
  })
})

describe('CRAM-MD5 against a users file', () => {
  test.each([CRAM, '{PLAIN}secret'])('%s', async (stored) => {
    const { auth } = setUp([`alice:${stored}`])
    expect(await cram(auth, 'alice', 'secret')).toMatchObject({ kind: 'authenticated', principal: { user: 'alice' } })
    expect(await cram(auth, 'alice', 'wrong')).toMatchObject({ kind: 'failed', reason: 'invalid-credentials' })
  })
})

describe('APOP against a users file', () => {
  const timestamp = '<1896.697170952@dbc.mtview.ca.us>'
  const greeted = () => contextAt(undefined, { timestamp })
  const apop = async (auth: Auth, user: string, password: string, context = greeted()) => {
    const digest = createHash('md5').update(`${timestamp}${password}`).digest('hex')
    await using attempt = auth.begin('APOP', context, NEVER)
    return attempt.step(Buffer.from(`${user} ${digest}`))
  }

  test('an account that is stored as PLAIN can prove, others cannot', async () => {
    const { auth, log } = setUp(['alice:{PLAIN}secret', `bob:${CRAM}`], { proofsOf: 'any' })
    expect(await apop(auth, 'alice', 'secret')).toMatchObject({
      kind: 'authenticated',
      deferred: false,
      principal: { user: 'alice', mechanism: 'APOP', strength: 'proof', proof: {} },
    })
    expect(log.lines.join()).toMatch(/signed in .*APOP/s)
    for (const [user, password] of [
      ['alice', 'wrong'],
      ['bob', 'secret'],
      ['nobody', 'secret'],
    ] as const) {
      const outcome = { kind: 'failed', reason: 'invalid-credentials', waitMs: 0, user }
      expect(await apop(auth, user, password)).toEqual(outcome)
    }
  })

  test('wrong digests are held back longer and longer, and then not looked at', async () => {
    const { auth, log } = setUp(['alice:{PLAIN}secret'])
    const outcomes = []
    for (let i = 0; i < 11; i++) outcomes.push(await apop(auth, 'alice', 'wrong'))
    expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.reason : outcome.kind))).toEqual([
      ...Array<string>(10).fill('invalid-credentials'),
      'throttled',
    ])
    expect(outcomes[3]).toMatchObject({ waitMs: 8_000 })
    expect(log.lines.filter((line) => line.startsWith('sign-in refused'))).toHaveLength(11)
  })

  test('is a mechanism where the greeting has a timestamp, and nowhere else', async () => {
    const { auth } = setUp(['alice:{PLAIN}secret'])
    expect(auth.mechanisms(greeted())).toContain('APOP')
    expect(auth.mechanisms(contextAt())).not.toContain('APOP')
    expect(await apop(auth, 'alice', 'secret', contextAt())).toMatchObject({ reason: 'mechanism-unavailable' })
    expect(setUp([`alice:${CRAM}`]).auth.mechanisms(greeted())).not.toContain('APOP')
  })
})

describe('EXTERNAL', () => {
  const raw = Buffer.from('the certificate of alice')
  const print = createHash('sha256').update(raw).digest('hex')
  const withCertificate = (authorized = true) =>
    contextAt(undefined, { client: clientAt(undefined, { certificate: { authorized, raw } }) })
  const external = async ({ auth }: ReturnType<typeof setUp>, authzid = '', context = withCertificate()) => {
    await using attempt = auth.begin('EXTERNAL', context, NEVER)
    return attempt.step(Buffer.from(authzid))
  }

  test('is offered to a client that has shown a certificate, and to no other', () => {
    const { auth } = setUp([`alice:${BCRYPT}`])
    expect(auth.mechanisms(withCertificate())[0]).toBe('EXTERNAL')
    expect(auth.mechanisms(withCertificate(false))).not.toContain('EXTERNAL')
    expect(auth.mechanisms(contextAt())).not.toContain('EXTERNAL')
  })

  test.each([print, print.toUpperCase().replace(/..(?=.)/g, '$&:')])(
    'the account with the fingerprint %s',
    async (text) => {
      expect(await external(setUp([`Alice:::::::certificate=${text}`]))).toMatchObject({
        kind: 'authenticated',
        principal: { authcid: 'alice', user: 'alice', strength: 'certificate', mechanism: 'EXTERNAL', proof: {} },
      })
    },
  )

  test.each([
    ['a certificate that no account has', [`alice:${BCRYPT}`], '', 'invalid-credentials'],
    [
      'one that two accounts have',
      [`a:::::::certificate=${print}`, `b:::::::certificate=${print}`],
      '',
      'invalid-credentials',
    ],
    ['a barred account', [`alice:::::::nologin certificate=${print}`], '', 'account-disabled'],
    ['another name without a policy', [`alice:::::::certificate=${print}`], 'bob', 'unauthorized-identity'],
  ])('%s', async (_label, lines, authzid, reason) => {
    expect(await external(setUp(lines), authzid)).toMatchObject({ kind: 'failed', reason })
  })

  test('a certificate that TLS has not found good is not looked at', async () => {
    const stage = setUp([`alice:::::::certificate=${print}`])
    expect(await external(stage, '', withCertificate(false))).toMatchObject({ reason: 'mechanism-unavailable' })
  })
})

test('ANONYMOUS acts as the account of the site, and what clients say of themselves is logged', async () => {
  const { auth, log } = setUp([`a:${BCRYPT}`], { anonymousUser: 'guest' })
  await using attempt = auth.begin('ANONYMOUS', contextAt(), NEVER)
  expect(await attempt.step(Buffer.from('sirhc'))).toMatchObject({
    kind: 'authenticated',
    principal: { user: 'guest', authcid: 'anonymous', strength: 'none' },
  })
  expect(log.lines.join()).toMatch(/signed in .*sirhc/s)
})

test.each([
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
])('MD5 of "%s" (RFC 1321 appendix A.5), also from the state after a block', (text, digest) => {
  const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const
  expect(md5Finish(Buffer.from(text), initial, 0).toString('hex')).toBe(digest)
  const block = Buffer.alloc(64, 'x')
  const whole = md5Finish(Buffer.concat([block, Buffer.from(text)]), initial, 0)
  expect(md5Finish(Buffer.from(text), md5Block(block), 64)).toEqual(whole)
})

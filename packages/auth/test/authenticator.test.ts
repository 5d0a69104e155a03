// SPDX-License-Identifier: MIT
import {
  type AuthCache,
  type AuthenticatorOptions,
  authSchema,
  type CredentialAnswer,
  type CredentialRequest,
  type CredentialSource,
  createAuthCache,
  createAuthenticator,
  createDeferredSource,
  createThrottle,
  createUsersFileSource,
} from '@portico/auth'
import { CancellationSource, NEVER } from '@portico/base'
import { plainResponse, serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock, credentialSourceCompliance } from '@portico/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

credentialSourceCompliance('deferred', async () => ({
  source: createDeferredSource(),
  known: { user: 'alice', password: 'secret' },
  proves: 'deferred',
  unknownUser: 'deferred',
}))

const AUTH = authSchema.parse({})

function scripted(name: string, answer: CredentialAnswer | Error): CredentialSource & { asked: CredentialRequest[] } {
  const asked: CredentialRequest[] = []
  return {
    name,
    asked,
    serves: new Set(['verify-plain']),
    async verify(request) {
      asked.push(request)
      if (answer instanceof Error) throw answer
      return answer
    },
    async [Symbol.asyncDispose]() {},
  }
}

function setUp(sources: readonly CredentialSource[], more: Partial<AuthenticatorOptions> = {}) {
  const clock = createFakeClock()
  const log = recordingLog()
  const throttle = createThrottle({ settings: AUTH, state: createMemoryStore({ clock }), clock })
  const cache = createAuthCache(AUTH.cache, clock)
  const auth = createAuthenticator({ sources, mechanisms: serverMechanisms, throttle, cache, clock, log, ...more })
  const login = (user: string, password: string, context = contextAt()) =>
    auth.login({ user, password }, context, NEVER)
  const plain = async (authcid: string, password: string, authzid?: string) => {
    await using attempt = auth.begin('PLAIN', contextAt(), NEVER)
    return attempt.step(plainResponse({ authcid, password, ...(authzid === undefined ? {} : { authzid }) }))
  }
  return { auth, clock, log, login, plain }
}

const fileSource = (text = 'alice:{PLAIN}secret::::::group=mbx1\n') =>
  createUsersFileSource(memoryUsersFile(text), { hashThreads })

describe('a password on an unencrypted leg', () => {
  const plainLeg = (peer: string, local: string, plaintextPasswords: 'never' | 'loopback' | 'always') =>
    contextAt(undefined, {
      client: clientAt(peer, { encrypted: false, local: { address: local, port: 143, family: 4 } }),
      channel: { encrypted: false, channelBinding: () => undefined },
      plaintextPasswords,
    })

  test.each([
    ['never', '127.0.0.1', '127.0.0.1', false],
    ['loopback', '127.0.0.1', '127.0.0.1', true],
    ['loopback', '::1', '::1', true],
    ['loopback', '192.0.2.7', '127.0.0.1', false],
    ['loopback', '127.0.0.1', '192.0.2.1', false],
    ['always', '192.0.2.7', '192.0.2.1', true],
  ] as const)('%s, from %s to %s: %s', async (policy, peer, local, allowed) => {
    const source = scripted('s', { kind: 'not-here' })
    const { auth, login } = setUp([source])
    const context = plainLeg(peer, local, policy)
    expect(auth.plaintextAllowed(context)).toBe(allowed)
    expect(auth.mechanisms(context)).toEqual(allowed ? ['PLAIN', 'LOGIN'] : [])
    const reason = allowed ? 'invalid-credentials' : 'encryption-required'
    expect(await login('alice', 'secret', context)).toMatchObject({ kind: 'failed', reason })
    const response = plainResponse({ authcid: 'alice', password: 'secret' })
    expect(await auth.begin('PLAIN', context, NEVER).step(response)).toMatchObject({ kind: 'failed', reason })
    expect(source.asked).toHaveLength(allowed ? 2 : 0)
  })

  test('a mechanism is offered only if a source can serve it', async () => {
    const source: CredentialSource = { ...scripted('s', { kind: 'not-here' }), serves: new Set(['lookup']) }
    const { auth, login } = setUp([source])
    expect(auth.mechanisms(contextAt())).toEqual([])
    expect(auth.plaintextAllowed(contextAt())).toBe(false)
    expect(await login('alice', 'secret')).toMatchObject({ reason: 'mechanism-unavailable' })
  })

  test('an unknown mechanism fails at its first step', async () => {
    const { auth } = setUp([fileSource()])
    const step = await auth.begin('X-NONE', contextAt(), NEVER).step(undefined)
    expect(step).toEqual({ kind: 'failed', reason: 'mechanism-unavailable', waitMs: 0 })
  })
})

describe('the sources in their order', () => {
  test('the right password makes the principal, by SASL and by login alike', async () => {
    const { login, plain, log } = setUp([fileSource()])
    const principal = { user: 'alice', source: 'users-file', strength: 'plain' }
    expect(await login('Alice', 'secret')).toMatchObject({ kind: 'authenticated', deferred: false, principal })
    expect(await plain('alice', 'secret')).toMatchObject({ principal: { ...principal, mechanism: 'PLAIN' } })
    expect(log.lines).toHaveLength(2)
    expect(log.lines[0]).toMatch(/^signed in/)
  })

  test('what a connection was told already is told to the log as a detail', async () => {
    const log = recordingLog()
    const { auth } = setUp([fileSource()], { log: { ...log, info: () => log.lines.push('info') } })
    const shown = { user: 'alice', password: 'secret' }
    await auth.login(shown, contextAt(), NEVER)
    await auth.login(shown, contextAt(undefined, { again: true }), NEVER)
    expect(log.lines).toEqual(['info', expect.stringMatching(/^signed in/)])
  })

  test('a source that does not know the user leaves them to the next', async () => {
    const { login } = setUp([fileSource('bob:{PLAIN}x\n'), fileSource()])
    expect((await login('alice', 'secret')).kind).toBe('authenticated')
  })

  test('a source that knows the user has the last word', async () => {
    const { login } = setUp([fileSource('alice:{PLAIN}first\n'), fileSource()])
    expect(await login('alice', 'secret')).toMatchObject({ reason: 'invalid-credentials' })
  })

  test.each([
    ['is away', { kind: 'unavailable' } as const],
    ['throws', new Error('driver trouble')],
  ])('a source that %s ends the sign-in as temporary, and is not a wrong password', async (_label, answer) => {
    const next = scripted('next', { kind: 'not-here' })
    const { login, log } = setUp([scripted('down', answer), next])
    for (let i = 0; i < 20; i++) {
      expect(await login('alice', `secret${i}`)).toEqual({
        kind: 'failed',
        reason: 'lookup-unavailable',
        waitMs: 0,
        user: 'alice',
      })
    }
    expect(next.asked).toEqual([])
    expect(log.lines[0]).toContain('down')
  })

  test('a wait that the source asks for is kept', async () => {
    const source = scripted('s', { kind: 'rejected', reason: 'invalid-credentials', waitMs: 30_000 })
    expect(await setUp([source]).login('alice', 'x')).toMatchObject({ waitMs: 30_000 })
  })

  test('a session that ends meanwhile gets no principal', async () => {
    const signal = new CancellationSource()
    const source: CredentialSource = {
      ...fileSource(),
      verify: async (request, s) => {
        signal.abort('closed')
        return fileSource().verify(request, s)
      },
    }
    const { auth } = setUp([source])
    const credentials = { user: 'alice', password: 'secret' }
    expect(await auth.login(credentials, contextAt(), signal)).toMatchObject({ reason: 'aborted' })
  })
})

describe('guessing', () => {
  test('is slowed down under the account, whatever spelling of its name is used', async () => {
    const rejecting = scripted('s', { kind: 'rejected', reason: 'invalid-credentials' })
    const source = { ...rejecting, canonical: (name: string) => name.split('@')[0] }
    const { login } = setUp([source])
    const reasons: string[] = []
    for (let i = 0; i < AUTH.failuresPerUserAndAddress + 3; i++) {
      const outcome = await login(`alice@d${i}`, `guess ${i}`)
      reasons.push(outcome.kind === 'failed' ? outcome.reason : outcome.kind)
    }
    expect(reasons.indexOf('throttled')).toBe(AUTH.failuresPerUserAndAddress)
    expect(rejecting.asked).toHaveLength(AUTH.failuresPerUserAndAddress)
  })
})

describe('unknown user and wrong password cannot be told apart', () => {
  test('same answer, same number of hash checks', async () => {
    const file = memoryUsersFile('alice:{PLAIN}secret\n')
    const { login } = setUp([createUsersFileSource(file, { hashThreads }), scripted('other', { kind: 'not-here' })])
    const wrong = await login('alice', 'no')
    expect(file.checks).toBe(1)
    const unknown = await login('zoe', 'no')
    expect(file.checks).toBe(2)
    expect({ ...unknown, user: '' }).toEqual({ ...wrong, user: '' })
  })

  test('also for a password that SASLprep changes, and for guesses at the same time', async () => {
    const file = memoryUsersFile('alice:{PLAIN}secret\n')
    const { login } = setUp([createUsersFileSource(file, { hashThreads })])
    const checksOf = async (user: string, password: string) => {
      const before = file.checks
      await Promise.all(Array.from({ length: 5 }, () => login(user, password)))
      return file.checks - before
    }
    expect(await checksOf('zoe', 'a\u00a0b')).toBe(await checksOf('alice', 'a\u00a0b'))
    expect(await checksOf('yan', 'plain')).toBe(await checksOf('alice', 'plain'))
  })
})

describe('names and passwords that are none', () => {
  test.each([
    ['an empty name', '', 'x', 'invalid-credentials'],
    ['an empty password', 'alice', '', 'invalid-credentials'],
    ['a NUL in the name', 'al\0ice', 'x', 'malformed'],
    ['a line break in the name', 'alice\r\n', 'x', 'malformed'],
    ['a NUL in the password', 'alice', 'x\0', 'malformed'],
    ['a C1 control character', 'al\u0085ice', 'x', 'malformed'],
    ['half a character', 'al\ud800ice', 'x', 'malformed'],
    ['a bidirectional mix (RFC 3454 section 6)', 'a\u05d0', 'x', 'invalid-credentials'],
    ['a name of 1,025 octets', 'a'.repeat(1_025), 'x', 'too-long'],
    ['a password of 1,025 octets', 'alice', 'x'.repeat(1_025), 'too-long'],
  ])('%s asks no source and leaves no line', async (_label, user, password, reason) => {
    const source = scripted('s', { kind: 'not-here' })
    const { login, log } = setUp([source])
    expect(await login(user, password)).toMatchObject({ reason })
    expect([source.asked, log.lines]).toEqual([[], []])
  })
})

describe('acting for somebody else (RFC 4616 section 2)', () => {
  test.each([
    ['the same name', 'alice', 'alice'],
    ['the same name in another case', 'ALICE', 'alice'],
  ])('%s changes nothing', async (_label, authzid, user) => {
    expect(await setUp([fileSource()]).plain('alice', 'secret', authzid)).toMatchObject({ principal: { user } })
  })

  test('is refused, but only to who has shown the right password', async () => {
    const { plain } = setUp([fileSource()])
    expect(await plain('alice', 'secret', 'bob')).toMatchObject({ reason: 'unauthorized-identity' })
    expect(await plain('alice', 'wrong', 'bob')).toMatchObject({ reason: 'invalid-credentials' })
  })

  test('takes the other name where the site allows it, without the route of the first', async () => {
    const mayActFor = (principal: { user: string }, authzid: string) => principal.user === 'alice' && authzid === 'Bob'
    const { plain } = setUp([fileSource()], { mayActFor })
    const outcome = await plain('alice', 'secret', 'Bob')
    expect(outcome).toMatchObject({ principal: { authcid: 'alice', user: 'bob', fields: new Map() } })
    expect(await plain('alice', 'secret', 'carol')).toMatchObject({ reason: 'unauthorized-identity' })
  })
})

describe('throttle', () => {
  test('failures are held back longer and longer, and ten stop it without a look at the password', async () => {
    const { login } = setUp([fileSource()])
    const waits: number[] = []
    for (let i = 0; i < 10; i++) waits.push(((await login('alice', `wrong${i}`)) as { waitMs: number }).waitMs)
    expect(waits).toEqual([0, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000, 15_000])
    expect(await login('alice', 'secret')).toMatchObject({ reason: 'throttled', waitMs: 15_000 })
    expect((await login('alice', 'secret', contextAt('192.0.2.8'))).kind).toBe('authenticated')
  })

  test('what was proved a moment ago is of no use to who is throttled: the cache is not asked', async () => {
    const clock = createFakeClock()
    const remembered = createAuthCache(AUTH.cache, clock)
    let asked = 0
    const cache: AuthCache = {
      size: 0,
      prove(...question) {
        asked += 1
        return remembered.prove(...question)
      },
    }
    const { login } = setUp([fileSource()], { cache })
    expect((await login('alice', 'secret')).kind).toBe('authenticated')
    for (let i = 0; i < 10; i++) await login('alice', `wrong${i}`)
    expect(asked).toBe(11)
    expect(await login('alice', 'secret')).toMatchObject({ kind: 'failed', reason: 'throttled' })
    expect(asked).toBe(11)
    expect((await login('alice', 'secret', contextAt('192.0.2.8'))).kind).toBe('authenticated')
  })

  test('a stranger’s guesses at every name never lock an owner out who comes from elsewhere', async () => {
    const { login } = setUp([fileSource('alice:{PLAIN}secret\nbob:{PLAIN}secret\n')])
    for (let i = 0; i < 320; i++) await login(i % 2 === 0 ? 'alice' : 'bob', `wrong${i}`, contextAt('203.0.113.9'))
    expect(await login('alice', 'secret', contextAt('203.0.113.9'))).toMatchObject({ reason: 'throttled' })
    for (const user of ['alice', 'bob']) expect((await login(user, 'secret')).kind).toBe('authenticated')
  })

  test('a device that repeats one old password is neither held back nor stopped, and its owner gets in', async () => {
    const { login } = setUp([fileSource()])
    for (let i = 0; i < 30; i++) expect(await login('alice', 'from before')).toMatchObject({ waitMs: 0 })
    expect((await login('alice', 'secret')).kind).toBe('authenticated')
  })

  test('an account that is only barred counts no failure', async () => {
    const { login } = setUp([fileSource('alice:{PLAIN}secret::::::nologin\n')])
    for (let i = 0; i < 12; i++)
      expect(await login('alice', 'secret')).toMatchObject({ reason: 'account-disabled', waitMs: 0 })
  })
})

describe('the audit', () => {
  test.each([
    ['a success', 'alice', 'secret', /^signed in .*"user":"alice","mechanism":"USER","source":"users-file"/s],
    ['a wrong password', 'alice', 'wrong', /^sign-in refused .*"user":"alice".*"reason":"invalid-credentials"/s],
    ['an unknown user', 'nobody', 'x', /^sign-in refused .*"user":"nobody".*"reason":"invalid-credentials"/s],
    ['a barred account', 'carol', 'secret', /^sign-in refused .*"user":"carol".*"reason":"account-disabled"/s],
  ])('has one line for %s: who, how, from where, why', async (_label, user, password, line) => {
    const { login, log } = setUp([fileSource('alice:{PLAIN}secret\ncarol:{PLAIN}secret::::::nologin\n')])
    await login(user, password)
    expect(log.lines).toEqual([expect.stringMatching(line)])
    expect(log.lines[0]).toContain('"client":"192.0.2.7","clientPort":40000,"encrypted":true')
    expect(log.lines[0]).toContain('"session":"s1","protocol":"imap4"')
  })

  test.each([
    ['LOGIN or USER with PASS', {}, 'USER'],
    ["HTTP's Basic", { scheme: 'BASIC' }, 'BASIC'],
    ['a form', { scheme: 'FORMS' }, 'FORMS'],
  ] as const)('a password that is shown by %s is called what rules call it', async (_label, scheme, mechanism) => {
    const { auth, log } = setUp([fileSource()])
    await auth.login({ user: 'alice', password: 'secret', ...scheme }, contextAt(), NEVER)
    expect(log.lines).toEqual([expect.stringContaining(`"mechanism":"${mechanism}"`)])
  })

  test('has one line for what was not looked at', async () => {
    const { login, log } = setUp([fileSource()])
    for (let i = 0; i < 10; i++) await login('alice', `wrong${i}`)
    log.lines.length = 0
    await login('alice', 'secret')
    expect(log.lines).toEqual([expect.stringContaining('"reason":"throttled"')])
  })
})

describe('a deferred sign-in', () => {
  const begin = async () => {
    const parts = setUp([createDeferredSource()])
    const attempt = async (password: string) => {
      const outcome = await parts.login('Alice', password)
      if (outcome.kind !== 'authenticated') throw new Error(outcome.reason)
      return outcome
    }
    return { ...parts, attempt }
  }

  test('is told to the log when the backend has spoken, once', async () => {
    const { attempt, log } = await begin()
    const outcome = await attempt('secret')
    expect(outcome).toMatchObject({ deferred: true, principal: { user: 'alice', authcid: 'Alice' } })
    expect(log.lines).toEqual([])
    await outcome.settle('accepted')
    await outcome.settle('refused')
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toMatch(/^signed in/)
  })

  test('a refusal is a failure like any other: counted, logged, held back', async () => {
    const { attempt, log, clock, login } = await begin()
    await (await attempt('wrong0')).settle('refused')
    let held = true
    const settled = (await attempt('wrong1')).settle('refused').then(() => {
      held = false
    })
    await clock.advance(1_999)
    expect(held).toBe(true)
    await clock.advance(1)
    await settled
    for (let i = 2; i < 10; i++) {
      const verdict = (await attempt(`wrong${i}`)).settle('refused')
      await clock.advance(15_000)
      await verdict
    }
    expect(log.lines).toHaveLength(10)
    expect(await login('alice', 'right')).toMatchObject({ reason: 'throttled' })
  })

  test('backend trouble is nobody’s failure', async () => {
    const { attempt, log } = await begin()
    for (let i = 0; i < 20; i++) await (await attempt(`p${i}`)).settle('unknown')
    expect(log.lines).toEqual([])
    expect((await attempt('right')).kind).toBe('authenticated')
  })
})

test('no log line holds a password, whatever it is and however the sign-in ends', { timeout: 60_000 }, async () => {
  const password = fc.string({ unit: 'binary', minLength: 12, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(password, fc.constantFrom('right', 'wrong', 'down', 'deferred'), async (secret, way) => {
      const source = {
        right: () => scripted('s', { kind: 'not-here' }),
        wrong: () => fileSource('alice:{PLAIN}another\n'),
        down: () => scripted('s', { kind: 'unavailable', cause: new Error('connection refused') }),
        deferred: () => createDeferredSource(),
      }[way]()
      const { login, plain, log } = setUp([source])
      for (const outcome of [await login('alice', secret), await plain('alice', secret.replaceAll('\0', ''))]) {
        if (outcome.kind === 'authenticated') await outcome.settle('accepted')
      }
      for (const line of log.lines) expect(line).not.toContain(secret)
    }),
    { numRuns: 100 },
  )
})

// SPDX-License-Identifier: MIT
import {
  type AuthContext,
  type AuthOutcome,
  accessRulesSchema,
  authSchema,
  type CredentialSource,
  createAccessRules,
  createActingPolicy,
  createAuthenticator,
  createDeferredSource,
  createNaming,
  createThrottle,
  createUsersFileSource,
  type EarlierSignIn,
  type UsersFile,
} from '@portico/auth'
import { CancellationSource, NEVER, Secret } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

const OUTSIDE = '192.0.2.7'
const WEB = { client: clientAt(OUTSIDE, { protocol: 'http' }) }
const webFrom = (address: string): AuthContext =>
  contextAt(address, { client: clientAt(address, { protocol: 'http' }) })

/** A users file whose text the test changes. */
function changeable(first: string): UsersFile & { text: string } {
  let file = memoryUsersFile(first)
  return {
    path: 'memory',
    get secrets() {
      return file.secrets
    },
    get text() {
      return first
    },
    set text(next: string) {
      file = memoryUsersFile(next)
    },
    ownerOf: () => undefined,
    lookup: (name) => file.lookup(name),
    mailbox: (name) => file.mailbox(name),
    decoy: (name) => file.decoy(name),
  }
}

function setUp({
  text = 'kim:{PLAIN}secret::::::group=mbx1\nhelp:{PLAIN}x\n',
  sources = undefined as readonly CredentialSource[] | undefined,
  rules = [] as readonly object[],
} = {}) {
  const [clock, log] = [createFakeClock(), recordingLog()]
  const file = changeable(text)
  const settings = authSchema.parse({
    names: { domains: { CONTOSO: 'contoso.com' } },
    actingFor: [{ users: ['kim'], mailboxes: ['help*'] }],
    failuresPerUserAndAddress: 3,
  })
  const acting = { policy: createActingPolicy(settings.actingFor) }
  const auth = createAuthenticator({
    sources: sources ?? [createUsersFileSource(file, { hashThreads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings, state: createMemoryStore({ clock }), clock }),
    naming: createNaming(settings.names),
    mayActFor: (principal, mailbox) => acting.policy(principal, mailbox),
    accessRules: createAccessRules(accessRulesSchema(['http']).parse(rules), {}),
    clock,
    log,
  })
  const login = async (): Promise<EarlierSignIn> => {
    const outcome = await auth.login(
      { user: 'kim', password: 'secret', scheme: 'FORMS' },
      contextAt(OUTSIDE, WEB),
      NEVER,
    )
    if (outcome.kind === 'failed') throw new Error(outcome.reason)
    return outcome.principal
  }
  const resume = (earlier: EarlierSignIn, context = contextAt(OUTSIDE, WEB)): Promise<AuthOutcome> =>
    auth.resume(earlier, context, NEVER)
  return { auth, acting, file, log, login, resume }
}

function whoIs(outcome: AuthOutcome): unknown {
  return outcome.kind === 'failed' ? outcome.reason : outcome.principal.user
}

describe('a sign-in of earlier', () => {
  test('is the same principal, without a proof and without another line in the log', async () => {
    const { login, resume, log } = setUp()
    const { proof: _, ...then } = (await login()) as EarlierSignIn & { proof: unknown }
    const outcome = await resume(then)
    expect(outcome).toMatchObject({ kind: 'authenticated', deferred: false, principal: { ...then, proof: {} } })
    expect(outcome.kind === 'authenticated' && outcome.principal.fields.get('group')).toBe('mbx1')
    expect(log.lines.filter((line) => line.startsWith('signed in'))).toHaveLength(2)
  })

  test('has the password for the backend where it was kept', async () => {
    const { login, resume } = setUp()
    const outcome = await resume({ ...(await login()), password: new Secret('secret') })
    expect(outcome.kind === 'authenticated' && outcome.principal.proof.password?.expose()).toBe('secret')
  })

  test.each([
    ['the account is gone', 'help:{PLAIN}x\n', 'invalid-credentials'],
    ['the password is another', 'kim:{PLAIN}other\n', 'invalid-credentials'],
    ['the account is disabled', 'kim:{PLAIN}secret::::::nologin\n', 'account-disabled'],
    ['the account has no web mail any more', 'kim:{PLAIN}secret::::::protocols=imap4\n', 'protocol-disabled'],
    ['the account is for another network', 'kim:{PLAIN}secret::::::allow_nets=10.0.0.0/8\n', 'network-refused'],
  ])('is over when %s', async (_label, text, reason) => {
    const { login, resume, file, log } = setUp()
    const earlier = await login()
    file.text = text
    expect(whoIs(await resume(earlier))).toBe(reason)
    expect(log.lines.at(-1)).toMatch(new RegExp(`^sign-in refused .*"user":"kim".*"reason":"${reason}"`, 's'))
  })

  test('goes on when only the route of the account has changed, and takes the new one', async () => {
    const { login, resume, file } = setUp()
    const earlier = await login()
    file.text = 'kim:{PLAIN}secret::::::group=mbx2\n'
    const outcome = await resume(earlier)
    expect(outcome.kind === 'authenticated' && outcome.principal.fields.get('group')).toBe('mbx2')
  })

  test('counts for nobody: what is over does not throttle, and what is throttled is not over', async () => {
    const { auth, login, resume, file } = setUp()
    const earlier = await login()
    file.text = 'kim:{PLAIN}other\n'
    for (let i = 0; i < 5; i++) await resume(earlier)
    expect(whoIs(await auth.login({ user: 'kim', password: 'other' }, webFrom(OUTSIDE), NEVER))).toBe('kim')
    for (const password of ['1', '2', '3', '4']) await auth.login({ user: 'kim', password }, webFrom(OUTSIDE), NEVER)
    expect(whoIs(await auth.login({ user: 'kim', password: 'other' }, webFrom(OUTSIDE), NEVER))).toBe('throttled')
    file.text = 'kim:{PLAIN}secret\n'
    expect(whoIs(await resume(earlier))).toBe('kim')
  })

  test.each([
    ['the network', { exceptNetworks: ['192.0.2.0/24'], action: 'deny' }],
    ['the network of this user', { exceptNetworks: ['192.0.2.0/24'], users: ['kim'], action: 'deny' }],
    ['the way it was made', { exceptNetworks: ['192.0.2.0/24'], mechanisms: ['FORMS'], action: 'deny' }],
  ])('is refused by a rule about %s', async (_label, rule) => {
    const { login, resume } = setUp({ rules: [{ name: 'inside', ...rule }] })
    const earlier = await login()
    expect(whoIs(await resume(earlier))).toBe('kim')
    expect(whoIs(await resume(earlier, webFrom('203.0.113.9')))).toBe('network-refused')
  })

  test('is over when its source is no longer asked', async () => {
    const { login } = setUp()
    const { resume } = setUp({ sources: [createDeferredSource()] })
    expect(whoIs(await resume(await login()))).toBe('invalid-credentials')
  })

  test('ends with its session', async () => {
    const { auth, login } = setUp()
    const signal = new CancellationSource()
    const earlier = await login()
    signal.abort('closed')
    expect(await auth.resume(earlier, contextAt(OUTSIDE, WEB), signal)).toMatchObject({ reason: 'aborted' })
  })
})

describe('somebody who acted for somebody else', () => {
  test('still does', async () => {
    const { resume } = setUp()
    const { principal } = await delegated()
    expect(await resume(principal)).toMatchObject({ principal: { user: 'help', delegate: 'kim' } })
  })

  test('does no longer when they may not, or are barred themselves', async () => {
    const { principal } = await delegated()
    const one = setUp()
    one.acting.policy = () => false
    expect(whoIs(await one.resume(principal))).toBe('unauthorized-identity')
    const other = setUp({ text: 'kim:{PLAIN}secret::::::nologin\nhelp:{PLAIN}x\n' })
    expect(whoIs(await other.resume(principal))).toBe('account-disabled')
  })

  /** Kim in the mailbox of the help desk. */
  async function delegated() {
    const { auth } = setUp()
    await using attempt = auth.begin('PLAIN', contextAt(OUTSIDE, WEB), NEVER)
    const outcome = await attempt.step(Buffer.from('help\0kim\0secret'))
    if (outcome.kind !== 'authenticated') throw new Error('not signed in')
    return outcome
  }
})

describe('other sources', () => {
  const earlier = { authcid: 'Kim', user: 'kim', mechanism: 'FORMS', strength: 'plain', epoch: '' } as const

  test('one that cannot tell leaves it at what it said', async () => {
    const silent = { ...createDeferredSource({ name: 'silent' }) }
    delete silent.account
    const { resume } = setUp({ sources: [silent] })
    expect(await resume({ ...earlier, source: 'silent' })).toMatchObject({
      deferred: false,
      principal: { authcid: 'Kim', user: 'kim', source: 'silent', proof: {} },
    })
  })

  test('one before it bars an account that it only routes', async () => {
    const file = memoryUsersFile('kim:::::::nologin\n')
    const sources = [createUsersFileSource(file, { hashThreads }), createDeferredSource()]
    const { resume } = setUp({ sources })
    const password = new Secret('secret')
    expect(whoIs(await resume({ ...earlier, source: 'deferred', password }))).toBe('account-disabled')
  })

  test('one before it that proves the account now was not the one that did', async () => {
    const file = memoryUsersFile('kim:{PLAIN}secret\n')
    const sources = [createUsersFileSource(file, { hashThreads }), createDeferredSource()]
    const { resume } = setUp({ sources })
    const password = new Secret('secret')
    expect(whoIs(await resume({ ...earlier, source: 'deferred', password }))).toBe('invalid-credentials')
  })

  test('one behind it does not vouch for an account that it has no more', async () => {
    const gone = createUsersFileSource(memoryUsersFile('zoe:{PLAIN}x\n'), { hashThreads })
    const principal = { ...earlier, source: 'other', proof: {}, fields: new Map<string, string>() }
    const account = async () => ({ kind: 'accepted', principal }) as const
    const { resume } = setUp({ sources: [gone, { ...createDeferredSource({ name: 'other' }), account }] })
    expect(whoIs(await resume({ ...earlier, source: 'users-file' }))).toBe('invalid-credentials')
  })

  test('a deferred sign-in is deferred again, with its password, and a refusal counts for nobody', async () => {
    const { auth, log, resume } = setUp({ sources: [createDeferredSource()] })
    expect(whoIs(await resume({ ...earlier, source: 'deferred' }))).toBe('invalid-credentials')
    for (let i = 0; i < 5; i++) {
      const outcome = await resume({ ...earlier, source: 'deferred', password: new Secret('secret') })
      expect(outcome).toMatchObject({ kind: 'authenticated', deferred: true })
      if (outcome.kind === 'authenticated') await outcome.settle('refused')
    }
    expect(log.lines.filter((line) => line.startsWith('sign-in refused'))).toHaveLength(6)
    expect(await auth.login({ user: 'kim', password: 'x' }, webFrom(OUTSIDE), NEVER)).toMatchObject({ deferred: true })
  })

  test.each([
    ['throws', () => Promise.reject(new Error('away'))],
    ['is away', async () => ({ kind: 'unavailable' }) as const],
  ])('one that %s makes it a temporary failure', async (_label, account) => {
    const { resume } = setUp({ sources: [{ ...createDeferredSource({ name: 's' }), account }] })
    expect(whoIs(await resume({ ...earlier, source: 's' }))).toBe('lookup-unavailable')
  })
})

describe('whether a principal may act for a mailbox', () => {
  test.each([
    ['their own', 'kim', true],
    ['their own in another spelling', 'KIM', true],
    ['one that they are given', 'helpdesk', true],
    ['one of somebody else', 'zoe', false],
    ['two at once', 'kim@contoso.com/help', false],
    ['no name', 'he\0lp', false],
    ['a name without end', `help${'x'.repeat(70_000)}`, false],
    ['none', '', false],
  ])('%s', async (_label, mailbox, may) => {
    const { auth, login } = setUp()
    const principal = await login()
    expect(auth.mayActFor(principal as never, mailbox)).toBe(may)
  })

  test('a name that asks for a second mailbox is not the name of the first', async () => {
    const { auth, login } = setUp()
    const principal = { ...(await login()), user: 'kim@contoso.com' } as never
    expect(auth.mayActFor(principal, 'kim@contoso.com')).toBe(true)
    expect(auth.mayActFor(principal, 'kim@contoso.com/zoe')).toBe(false)
  })

  test('a delegate may be where they act, and where they may act themselves; not where that mailbox may', async () => {
    const { auth, acting, login } = setUp()
    acting.policy = ({ user }, mailbox) => user === 'help' && mailbox === 'boss'
    const principal = { ...(await login()), user: 'help', delegate: 'kim' } as never
    expect(auth.mayActFor(principal, 'help')).toBe(true)
    expect(auth.mayActFor(principal, 'boss')).toBe(false)
  })
})

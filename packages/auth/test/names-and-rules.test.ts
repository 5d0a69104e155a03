// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
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
  openUsersFile,
} from '@portico/auth'
import { NEVER } from '@portico/base'
import { plainResponse, scramClient, serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { contextAt, hashThreads, recordingLog } from './helpers.js'

const folder = mkdtempSync(join(tmpdir(), 'names-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SITE = {
  names: { defaultDomain: 'contoso.com', domains: { CONTOSO: 'contoso.com' } },
  actingFor: [{ users: ['kim@contoso.com'], mailboxes: ['help*@contoso.com'] }],
  failuresPerUserAndAddress: 3,
}
const OUTSIDE = { name: 'outside-is-closed', exceptNetworks: ['10.0.0.0/8'], action: 'deny' }
const NOT_KIM = { name: 'kim-stays-in', users: ['kim@*'], exceptNetworks: ['10.0.0.0/8'], action: 'deny' }
const INSIDE = '10.1.2.3'

interface Site {
  readonly site?: object
  readonly rules?: readonly object[]
  readonly sources?: readonly CredentialSource[]
}

/** Kim, whose password is "secret", and Zoë. */
function setUp({ site = SITE, rules = [], sources = [] }: Site = {}) {
  const [clock, log] = [createFakeClock(), recordingLog()]
  const path = join(folder, 'users')
  writeFileSync(path, 'kim@contoso.com:{PLAIN}secret\nzoe\u0308@contoso.com:{PLAIN}secret\n', { mode: 0o600 })
  const settings = authSchema.parse(site)
  const auth = createAuthenticator({
    sources:
      sources.length > 0 ? sources : [createUsersFileSource(openUsersFile({ path, clock, log }), { hashThreads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings, state: createMemoryStore({ clock }), clock }),
    naming: createNaming(settings.names),
    mayActFor: createActingPolicy(settings.actingFor),
    accessRules: createAccessRules(accessRulesSchema(['imap4', 'pop3']).parse(rules), {}),
    anonymousUser: 'kim@guests',
    clock,
    log,
  })
  const login = (user: string, password = 'secret', address?: string) =>
    auth.login({ user, password }, contextAt(address), NEVER)
  const plain = async (authcid: string, authzid?: string, password = 'secret') => {
    await using attempt = auth.begin('PLAIN', contextAt(), NEVER)
    return attempt.step(plainResponse({ authcid, password, ...(authzid === undefined ? {} : { authzid }) }))
  }
  const scram = async (authcid: string, authzid?: string) => {
    await using attempt = auth.begin('SCRAM-SHA-256', contextAt(), NEVER)
    const wished = authzid === undefined ? {} : { authzid }
    const client = scramClient({ hash: 'sha256', authcid, password: 'secret', nonce: 'mine', ...wished })
    const first = await attempt.step(client.first)
    if (first.kind !== 'challenge') return first
    const final = await attempt.step(await client.final(first.data))
    return final.kind === 'challenge' ? attempt.step(Buffer.alloc(0)) : final
  }
  return { auth, log, login, plain, scram }
}

/** Who a sign-in ended as; the reason when it did not. */
function whoIs(outcome: AuthOutcome | { readonly kind: 'challenge' }): unknown {
  if (outcome.kind === 'failed') return outcome.reason
  if (outcome.kind === 'challenge') return outcome.kind
  const { authcid, user, delegate, fields, route } = outcome.principal
  return { authcid, user, delegate, fields: [...fields], route }
}

describe('a mailbox of somebody else', () => {
  const HELPDESK = {
    authcid: 'kim@contoso.com',
    user: 'helpdesk@contoso.com',
    delegate: 'kim@contoso.com',
    fields: [],
    route: undefined,
  }

  test('is the same principal however it is asked for', async () => {
    const { login, plain, scram } = setUp()
    for (const name of ['kim@contoso.com/helpdesk', 'CONTOSO/kim/helpdesk@contoso.com', 'contoso/Kim/HelpDesk']) {
      for (const outcome of [await login(name), await plain(name), await scram(name)]) {
        expect(whoIs(outcome)).toEqual({
          ...HELPDESK,
          authcid: name.includes('Kim') ? 'Kim@contoso.com' : HELPDESK.authcid,
        })
      }
    }
    for (const authzid of ['helpdesk', 'CONTOSO\\helpdesk', 'helpdesk@contoso.com']) {
      for (const outcome of [await plain('kim', authzid), await scram('CONTOSO\\kim', authzid)])
        expect(whoIs(outcome)).toEqual(HELPDESK)
    }
  })

  test.each([
    ['a mailbox that the policy does not name', 'kim@contoso.com/ceo', undefined],
    ['two mailboxes', 'kim@contoso.com/helpdesk', 'helpline'],
    ['a delegate as authzid', 'kim', 'contoso/kim/helpdesk'],
  ])('%s is refused, but only to who has shown the right password', async (_label, authcid, authzid) => {
    const { plain, scram } = setUp()
    expect(whoIs(await plain(authcid, authzid))).toBe('unauthorized-identity')
    expect(whoIs(await scram(authcid, authzid))).toBe('unauthorized-identity')
    expect(whoIs(await plain(authcid, authzid, 'wrong'))).toBe('invalid-credentials')
  })

  test('nobody opens one where no policy says so', async () => {
    const { login } = setUp({ site: { names: SITE.names } })
    expect(whoIs(await login('kim@contoso.com/helpdesk'))).toBe('unauthorized-identity')
  })

  test('of oneself is no wish at all', async () => {
    const outcome = await setUp({ site: { names: SITE.names } }).login('kim@contoso.com/kim')
    expect(whoIs(outcome)).toMatchObject({ user: 'kim@contoso.com', delegate: undefined })
  })
})

describe('spellings of one name', () => {
  test.each([
    [['kim', 'CONTOSO\\kim', 'contoso/KIM']],
    [['zo\u00eb@contoso.com', 'zoe\u0308@contoso.com', 'CONTOSO\\zo\u00eb']],
    [['nobody\u00e9', 'nobodye\u0301', 'CONTOSO\\nobody\u00e9']],
  ])('%s share their failures', async (names) => {
    const { login } = setUp()
    for (const [index, name] of names.entries())
      expect(whoIs(await login(name, `wrong${index}`))).toBe('invalid-credentials')
    for (const name of names) expect(whoIs(await login(name))).toBe('throttled')
  })

  test('a name of the file is found in each of them', async () => {
    const { login } = setUp()
    for (const name of ['zo\u00eb', 'zoe\u0308', 'CONTOSO\\Zo\u00eb'])
      expect(whoIs(await login(name))).toMatchObject({ user: 'zo\u00eb@contoso.com' })
  })
})

describe('a rule that needs no user', () => {
  test('takes every mechanism away, and nobody is asked', async () => {
    let asked = 0
    const verify = async () => {
      asked += 1
      return { kind: 'not-here' } as const
    }
    const source = { ...createDeferredSource(), verify }
    const { auth, login, plain } = setUp({ rules: [OUTSIDE], sources: [source] })
    expect(auth.mechanisms(contextAt())).toEqual([])
    expect(auth.plaintextAllowed(contextAt())).toBe(false)
    expect(auth.refusePlaintext(contextAt())).toBe('network-refused')
    expect(whoIs(await login('kim'))).toBe('network-refused')
    expect(whoIs(await plain('kim'))).toBe('network-refused')
    expect(asked).toBe(0)
    expect(auth.mechanisms(contextAt(INSIDE))).toEqual(['PLAIN', 'LOGIN', 'ANONYMOUS'])
    expect(auth.refusePlaintext(contextAt(INSIDE))).toBeUndefined()
  })

  test('is named in the line of every attempt', async () => {
    const { auth, log, login, plain } = setUp({ rules: [OUTSIDE] })
    expect(auth.mechanisms(contextAt())).toEqual([])
    expect(log.lines).toEqual([])
    await login('kim')
    await plain('kim')
    auth.refusePlaintext(contextAt())
    expect(log.lines).toHaveLength(3)
    for (const line of log.lines) expect(line).toMatch(/^sign-in refused .*network-refused.*outside-is-closed/s)
  })
})

describe('a rule about users', () => {
  test('decides after the proof, for every mechanism', async () => {
    const { auth, log, login, plain, scram } = setUp({ rules: [NOT_KIM] })
    expect(auth.mechanisms(contextAt())).toContain('SCRAM-SHA-256')
    for (const outcome of [await login('kim'), await plain('CONTOSO\\kim'), await scram('kim')])
      expect(whoIs(outcome)).toBe('network-refused')
    expect(log.lines).toHaveLength(3)
    for (const line of log.lines) expect(line).toContain('kim-stays-in')
    expect(whoIs(await login('kim', 'wrong'))).toBe('invalid-credentials')
    expect(log.lines.at(-1)).not.toContain('kim-stays-in')
    expect(whoIs(await login('zo\u00eb'))).toMatchObject({ user: 'zo\u00eb@contoso.com' })
    expect(whoIs(await login('kim', 'secret', INSIDE))).toMatchObject({ user: 'kim@contoso.com' })
  })

  test('is about who has proved, not about the mailbox', async () => {
    const rules = [{ ...NOT_KIM, users: ['helpdesk@contoso.com'] }]
    expect(whoIs(await setUp({ rules }).login('kim@contoso.com/helpdesk'))).toMatchObject({
      user: 'helpdesk@contoso.com',
    })
    expect(whoIs(await setUp({ rules: [NOT_KIM] }).login('kim@contoso.com/helpdesk'))).toBe('network-refused')
  })

  test('is a wrong password to who has proved nothing yet, and counts as one', async () => {
    const { log, login } = setUp({ rules: [NOT_KIM], sources: [createDeferredSource()] })
    for (const password of ['one', 'two', 'three'])
      expect(whoIs(await login('kim', password))).toBe('invalid-credentials')
    expect(log.lines[0]).toContain('kim-stays-in')
    expect(whoIs(await login('kim'))).toBe('throttled')
  })

  test('holds for the account that ANONYMOUS acts as', async () => {
    const { auth, log } = setUp({ rules: [NOT_KIM] })
    const begin = (address?: string) => auth.begin('ANONYMOUS', contextAt(address), NEVER).step(Buffer.from('me'))
    expect(whoIs(await begin())).toBe('network-refused')
    expect(log.lines[0]).toContain('kim-stays-in')
    expect(whoIs(await begin(INSIDE))).toMatchObject({ user: 'kim@guests' })
  })
})

describe('the account that a name means', () => {
  test.each([
    ['kim', 'kim@contoso.com'],
    ['Kim@CONTOSO', 'kim@contoso.com'],
    ['CONTOSO\\kim', 'kim@contoso.com'],
    ['zo\u00eb', 'zoe\u0308@contoso.com'],
    ['kim@far.example', 'kim@far.example'],
    ['kim\0', 'kim\0@contoso.com'],
  ])('%j', (name, account) => {
    expect(setUp().auth.accountOf(name).normalize()).toBe(account.normalize())
  })
})

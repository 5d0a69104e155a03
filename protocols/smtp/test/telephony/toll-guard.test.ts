// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import { createMemoryStore, type StateStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type { Dialogue } from '../../src/dialogue.js'
import { countCall } from '../../src/telephony/count-calls.js'
import { calledBy } from '../../src/telephony/gateways.js'
import { gatewaysSchema } from '../../src/telephony/gateways-schema.js'
import { type Caller, refusedCall, spendCall } from '../../src/telephony/toll-guard.js'
import { listeningLog, recipient, SESSION } from '../agents/support.js'

const gateway = { group: 'fax', domains: ['fax.example.org', 'Example.ORG.'] }
const telephony = (fax: object = {}, more: object = {}) =>
  gatewaysSchema.parse({ numbers: { countryCode: '49' }, gateways: { fax: { ...gateway, ...fax } }, ...more })
const connectors = new Map([['inbound', { domains: ['example.org'] }]])

describe('which gateway a recipient belongs to', () => {
  const path = (text: string, settings = telephony()) => {
    const called = calledBy({ telephony: settings, connectors }, recipient(text))
    return called?.kind === 'call' ? called.path : called?.kind
  }

  test.each([
    ['a fax', 'FAX=+49-30-1234567@fax.example.org', 'FAX=+49301234567@fax.example.org'],
    ['a national number', 'fax=030.1234567@example.org', 'FAX=+49301234567@example.org'],
    ['between slashes', '/FAX=+49301234567/T33S=13/@example.org', 'FAX=+49301234567/T33S=13@example.org'],
    ['a person there', 'alice@example.org', undefined],
    ['another domain', 'FAX=+49301234567@example.com', undefined],
    ['a domain below', 'FAX=+49301234567@x.example.org', undefined],
    ['another service, where people have mailboxes', 'VOICE=+49301234567@example.org', undefined],
    ['another service, where nobody has one', 'VOICE=+49301234567@fax.example.org', 'bad'],
    ['a bare number, where nobody has a mailbox', '+49301234567@fax.example.org', 'bad'],
    ['a person, where nobody has a mailbox', 'alice@fax.example.org', 'bad'],
    ['postmaster', 'Postmaster@fax.example.org', undefined],
    ['no number', 'FAX=alice@fax.example.org', 'bad'],
    ['an emergency', 'FAX=112@fax.example.org', 'bad'],
    ['more slashes than there may be', '//FAX=+49301234567@fax.example.org', 'bad'],
    ['blanks', ' FAX =+49301234567@fax.example.org', 'bad'],
    ['a telephone by way of a mail server', 'FAX=+49301234567%fax.example.org@example.com', 'bad'],
    ['the same as UUCP wrote it', 'fax.example.org.!FAX=+49301234567@example.com', 'bad'],
    ['the same in another case', 'fax=030-1234567%FAX.Example.Org@example.com', 'bad'],
    ['a bare number by way of a mail server', '+49301234567%fax.example.org@example.com', 'bad'],
    ['a person by way of a mail server', 'alice%example.org@example.com', undefined],
    ['digits to dial afterwards', 'FAX=+49301234567/POSTD=1@fax.example.org', 'bad'],
  ])('%s: %s', (_, text, expected) => expect(path(text)).toBe(expected))

  test('the address goes as it came where the site says so', () => {
    const written = '/FAX=030-1234567/@example.org'
    expect(path(written, telephony({ address: 'as-written' }))).toBe(written)
  })
})

describe('who may call whom', () => {
  const alice: Caller = { user: 'alice', connector: 'client', networks: ['office'] }
  const nobody: Caller = { ...alice, user: undefined }
  const refused = (number: string, caller: Caller, fax: object = {}) => {
    const called = calledBy({ telephony: telephony(fax), connectors }, recipient(`FAX=${number}@fax.example.org`))
    if (called === undefined) throw new Error('no call')
    return refusedCall(called, caller)
  }

  test.each<[string, string, Caller, object, string | undefined]>([
    ['a user, the own country', '+49301234567', alice, {}, undefined],
    ['a user, another country', '+12027653000', alice, {}, 'number'],
    ['a user, another country that is allowed', '+12027653000', alice, { allow: ['+1'] }, undefined],
    ['… and then the own one is not', '+49301234567', alice, { allow: ['+1'] }, 'number'],
    ['a user, a premium number', '+499001234567', alice, {}, 'number'],
    ['a user, a premium number in national form', '09001234567', alice, {}, 'number'],
    ['a user, a premium number in pieces', '0-9.0-0.1234567', alice, {}, 'number'],
    ['a user, an island dialled like America', '+18095551234', alice, { allow: ['+1'] }, 'number'],
    ['a user, a denied number', '+49301234567', alice, { deny: ['+4930'] }, 'number'],
    ['a user, no number', 'alice', alice, {}, 'no number'],
    ['a user who may', '+49301234567', alice, { users: ['Alice'] }, undefined],
    ['a user who may not', '+49301234567', alice, { users: ['bob'] }, 'user'],
    ['nobody', '+49301234567', nobody, {}, 'not signed in'],
    ['nobody, a premium number', '+499001234567', nobody, {}, 'not signed in'],
    ['nobody, no number', 'alice', nobody, {}, 'not signed in'],
    ['nobody, at another network', '+49301234567', nobody, { withoutSignIn: { networks: ['lab'] } }, 'not signed in'],
    ['nobody, at a network that may', '+49301234567', nobody, { withoutSignIn: { networks: ['office'] } }, undefined],
    [
      'nobody, at a connector that may',
      '+49301234567',
      nobody,
      { withoutSignIn: { connectors: ['client'] } },
      undefined,
    ],
    ['… a premium number', '+499001234567', nobody, { withoutSignIn: { connectors: ['client'] } }, 'number'],
  ])('%s', (_, number, caller, fax, expected) => expect(refused(number, caller, fax)).toBe(expected))
})

describe('counting calls', () => {
  const { signal } = { signal: new CancellationSource() }
  const HOUR = 3_600_000

  test('as many as there may be in a window, then again in the next', async () => {
    const store = createMemoryStore({ clock: createFakeClock() })
    const count = (now: number) => countCall(store, 'k', { most: 2, windowMs: HOUR }, now, signal)
    expect([await count(HOUR), await count(HOUR + 1), await count(2 * HOUR - 1)]).toEqual([
      'counted',
      'counted',
      'full',
    ])
    expect(await count(2 * HOUR)).toBe('counted')
  })

  test('side by side no more get through than one after the other', async () => {
    const store = createMemoryStore({ clock: createFakeClock() })
    const all = Array.from({ length: 8 }, () => countCall(store, 'k', { most: 5, windowMs: HOUR }, 0, signal))
    const counted = (await Promise.all(all)).filter((one) => one === 'counted')
    expect(counted).toHaveLength(5)
  })

  test.each<[string, Partial<StateStore>]>([
    ['cannot be asked', { get: async () => ({ kind: 'unavailable' }) }],
    ['cannot be told', { get: async () => ({ kind: 'absent' }), compareAndSet: async () => 'unavailable' }],
    ['says something else each time', { get: async () => ({ kind: 'absent' }), compareAndSet: async () => 'differs' }],
    ['holds what is no number', { get: async () => ({ kind: 'value', value: Buffer.from('many') }) }],
  ])('nobody calls while a store %s', async (_, store) => {
    const away = store as StateStore
    expect(await countCall(away, 'k', { most: 5, windowMs: HOUR }, 0, signal)).toBe('unavailable')
  })
})

function dialogueOf(principal: object, services: { readonly state: Partial<StateStore>; readonly log: unknown }) {
  const session = {
    id: 's1',
    leg: { facts: { peer: SESSION.peer } },
    signal: new CancellationSource(),
    services: { ...services, clock: createFakeClock() },
  }
  return { session, connector: { name: 'client' }, authenticated: { principal } } as unknown as Dialogue
}

test.each<[string, Partial<StateStore>, string | undefined]>([
  ['there', createMemoryStore({ clock: createFakeClock() }), undefined],
  ['away', { get: async () => ({ kind: 'unavailable' }) }, '451 4.3.0'],
])('what a caller hears while the store is %s', async (_, state, expected) => {
  const called = calledBy({ telephony: telephony(), connectors }, recipient('FAX=+49301234567@fax.example.org'))
  if (called?.kind !== 'call') throw new Error('no call')
  const log = listeningLog()
  const reply = await spendCall(dialogueOf({ user: 'alice' }, { state, log }), called)
  expect(reply && `${reply.code} ${reply.enhanced}`).toBe(expected)
  expect(log.lines.map(({ message, user }) => [message, user])).toEqual([
    [expected === undefined ? 'a call goes to its gateway' : 'a call is put off', 'alice'],
  ])
})

test('who acts for several mailboxes has the calls of one account', async () => {
  const settings = telephony({ rate: { hour: 1 } })
  const called = calledBy({ telephony: settings, connectors }, recipient('FAX=+49301234567@fax.example.org'))
  if (called?.kind !== 'call') throw new Error('no call')
  const services = { state: createMemoryStore({ clock: createFakeClock() }), log: listeningLog() }
  const spend = (user: string) => spendCall(dialogueOf({ user, delegate: 'eve' }, services), called)
  expect(await spend('sales')).toBeUndefined()
  expect((await spend('support'))?.code).toBe(450)
})

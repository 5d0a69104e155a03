// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Backend, CancellationSource, type MailboxLocation, type Principal, Secret } from '@portico/base'
import { type Decision, isAddress, type LocateAnswer, type RouteQuestion } from '@portico/routing'
import type { Route, Services, Session } from '@portico/session'
import { describe, expect, test } from 'vitest'
import { type Directory, directorySchema } from '../src/directory/schema.js'
import { ANCHOR_KINDS, type Anchor } from '../src/routing/anchors.js'
import { routeFor } from '../src/routing/route-for.js'

const ALICE: Principal = {
  authcid: 'alice',
  user: 'alice@example.com',
  mechanism: 'BASIC',
  strength: 'plain',
  proof: { password: new Secret('secret') },
  source: 'test',
  epoch: '1',
  fields: new Map([['group', 'one']]),
}

const BACKEND = { id: 'test' } as Backend

interface Site {
  /** Where mailboxes are. */
  readonly mailboxes: Readonly<Record<string, MailboxLocation | 'unavailable'>>
  /** Whom alice may act for. */
  readonly mayOpen?: readonly string[]
  readonly decision?: Decision
}

interface Asked {
  readonly route: Route
  readonly question: RouteQuestion | undefined
  readonly located: readonly string[]
}

const HOME: MailboxLocation = { group: 'one', host: 'mbx1', source: 'file', backendUser: 'al1ce' }
const BOSS: MailboxLocation = {
  group: 'two',
  host: 'mbx2',
  source: 'file',
  backendUser: 'b0ss',
  backendPassword: new Secret('boss-password'),
}
const SITE: Site = { mailboxes: { 'alice@example.com': HOME, 'boss@example.com': BOSS }, mayOpen: ['boss@example.com'] }

async function ask(
  site: Site,
  anchor: string | undefined,
  { deferred = false, directory = {} }: { readonly deferred?: boolean; readonly directory?: object } = {},
): Promise<Asked> {
  let question: RouteQuestion | undefined
  const located: string[] = []
  const session = {
    id: 's1',
    protocol: 'http',
    networks: [],
    hops: 0,
    signal: new CancellationSource(),
    record: { begin() {}, finish() {} },
    services: {
      authenticator: {
        accountOf: (name: string) => (name === 'EXAMPLE\\alice' ? 'alice@example.com' : name.toLowerCase()),
        mayActFor: ({ user }: Principal, mailbox: string) =>
          user === ALICE.user && (site.mayOpen ?? []).includes(mailbox.toLowerCase()),
      },
      locator: {
        async locate(who: Parameters<Services['locator']['locate']>[0]): Promise<LocateAnswer> {
          if (isAddress(who)) throw new Error('a principal was expected')
          located.push(who.user)
          // What is known of alice says nothing of others.
          if (who.user !== ALICE.user) expect([who.fields.size, who.delegate]).toEqual([0, ALICE.user])
          const place = site.mailboxes[who.user]
          if (place === undefined) return { kind: 'none' }
          return place === 'unavailable' ? { kind: place } : { kind: 'found', location: place }
        },
      },
      router: {
        decide(asked: RouteQuestion): Decision {
          question = asked
          return site.decision ?? { kind: 'proxy', candidates: [BACKEND] }
        },
      },
      states: () => new Map(),
      log: { debug() {}, warn() {} },
    },
  } as unknown as Session
  const signedIn = { kind: 'authenticated', principal: ALICE, deferred } as Authenticated
  const written = directorySchema.parse({ preset: 'ews', ...directory }) as Directory
  const named: Anchor | undefined = anchor === undefined ? undefined : { from: 'header', mailbox: anchor }
  const route = await routeFor(session, signedIn, written, named, { kind: 'activesync', encrypted: true })
  return { route, question, located }
}

const AT_HOME = { location: HOME, spreadKey: 'alice@example.com' }
/** The other mailbox's place, with the name that alice has at home and nothing that is the other's. */
const AT_BOSS = {
  location: { group: 'two', host: 'mbx2', source: 'file', backendUser: 'al1ce' },
  spreadKey: 'boss@example.com',
}

describe('a mailbox that a request names is a hint', () => {
  test.each([
    ['none', undefined, AT_HOME],
    ["the user's own", 'alice@example.com', AT_HOME],
    ["the user's own in capitals", 'ALICE@EXAMPLE.COM', AT_HOME],
    ["the user's own, spelled otherwise", 'EXAMPLE\\alice', AT_HOME],
    ['one that the user may act for', 'boss@example.com', AT_BOSS],
    ['the same in capitals', 'Boss@Example.com', AT_BOSS],
    ['one that the user may not act for', 'carol@example.com', AT_HOME],
    ['one that nobody has', 'nobody@evil.example', AT_HOME],
  ])('%s', async (_, anchor, expected) => {
    expect((await ask(SITE, anchor)).question).toMatchObject(expected)
  })

  test('who may not act for it learns nothing of it: it is not even looked up', async () => {
    const asked = await ask({ ...SITE, mayOpen: [] }, 'boss@example.com')
    expect(asked.located).toEqual(['alice@example.com'])
    expect(asked.question).toMatchObject(AT_HOME)
  })

  test("another mailbox's password is for its owner", async () => {
    const { question } = await ask(SITE, 'boss@example.com')
    expect(question?.location).toStrictEqual(AT_BOSS.location)
  })

  test('a mailbox that is not there counts as one that may not be opened', async () => {
    const { question } = await ask({ ...SITE, mayOpen: ['gone@example.com'] }, 'gone@example.com')
    expect(question).toMatchObject(AT_HOME)
  })

  test('while nobody knows where it is the request goes nowhere, for it would be the wrong place', async () => {
    const away: Site = { ...SITE, mailboxes: { ...SITE.mailboxes, 'boss@example.com': 'unavailable' } }
    const { route, question } = await ask(away, 'boss@example.com')
    expect(route).toEqual({ kind: 'refuse', reason: 'lookup-unavailable' })
    expect(question).toBeUndefined()
  })

  test('somebody without a mailbox of their own may still work for others', async () => {
    const { question } = await ask({ ...SITE, mailboxes: { 'boss@example.com': BOSS } }, 'boss@example.com')
    expect(question?.location).toStrictEqual({ group: 'two', host: 'mbx2', source: 'file' })
  })

  test('in a deferred sign-in nobody is proved to be alice', async () => {
    const { question, located } = await ask(SITE, 'boss@example.com', { deferred: true })
    expect(question).toMatchObject(AT_HOME)
    expect(located).toEqual(['alice@example.com'])
  })
})

describe('the group of a directory holds for every anchor', () => {
  test.each([
    ['another group', 'three', { group: 'three', source: 'file', backendUser: 'al1ce' }],
    ['the group of the mailbox', 'two', AT_BOSS.location],
  ])('%s', async (_, group, location) => {
    const { question } = await ask(SITE, 'boss@example.com', { directory: { group } })
    expect(question?.location).toStrictEqual(location)
    expect(question?.spreadKey).toBe('boss@example.com')
  })

  test('a user without a location goes to it too', async () => {
    const { question } = await ask({ mailboxes: {} }, undefined, { directory: { group: 'three' } })
    expect(question?.location).toStrictEqual({ group: 'three', source: 'directory' })
  })
})

describe('a place elsewhere is told to who has proved who they are', () => {
  const elsewhere: Site = {
    ...SITE,
    decision: { kind: 'redirect', how: 'same-request', to: 'https://other.example.com' },
  }

  test('and to nobody else', async () => {
    expect((await ask(elsewhere, undefined)).route).toMatchObject({ kind: 'redirect', to: 'https://other.example.com' })
    expect((await ask(elsewhere, undefined, { deferred: true })).route).toEqual({
      kind: 'refuse',
      reason: 'backend-unavailable',
    })
  })

  test('whether the client would go there is asked of the router, except while nobody is proved to be anybody', async () => {
    const client = { kind: 'activesync', encrypted: true }
    for (const directory of [{}, { group: 'three' }]) {
      expect((await ask(elsewhere, undefined, { directory })).question?.client).toEqual(client)
      expect((await ask(elsewhere, undefined, { directory, deferred: true })).question?.client).toBeUndefined()
    }
    expect((await ask(elsewhere, 'boss@example.com')).question?.client).toEqual(client)
  })
})

test('presets look for anchors where their clients write them, and a site may say otherwise', () => {
  const anchorsOf = (written: object) => (directorySchema.parse(written) as Directory).anchors
  expect(anchorsOf({ preset: 'owa' })).toEqual(['path', 'header'])
  expect(anchorsOf({ preset: 'mapi' })).toEqual(['mailbox-id', 'header'])
  expect(anchorsOf({ preset: 'activesync' })).toEqual(['user', 'header'])
  expect(anchorsOf({ preset: 'caldav' })).toEqual([])
  expect(anchorsOf({ preset: 'owa', anchors: [] })).toEqual([])
  expect(anchorsOf({ mount: '/x', anchors: [...ANCHOR_KINDS] })).toEqual(ANCHOR_KINDS)
})

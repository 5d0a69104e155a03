// SPDX-License-Identifier: MIT
import { type EmailAddress, NEVER, Secret } from '@portico/base'
import {
  backendsSchema,
  buildTopology,
  chainLocators,
  createLocator,
  createRouter,
  type LocatorDeps,
  locationSchema,
  type RouteQuestion,
  TopologyError,
} from '@portico/routing'
import { locatorCompliance, principalNamed, routerCompliance } from '@portico/testkit'
import { describe, expect, test } from 'vitest'

const schema = backendsSchema(['imap4', 'pop3', 'smtp', 'http'], ['lmtp'])
const topologyOf = (written: unknown) =>
  buildTopology(schema.parse(written), (source) => (source.kind === 'text' ? source.text : `read ${source.path}`))
const address = (local: string, domain: string): EmailAddress => ({ kind: 'address', local, domain })
const locatorOf = (written: unknown, deps: LocatorDeps = {}) => {
  const [settings] = locationSchema.parse([written])
  if (settings === undefined) throw new Error('no settings')
  return createLocator(settings, deps)
}

routerCompliance('over a topology', () => ({
  router: createRouter(
    topologyOf({
      mbx: {
        smtp: { endpoints: ['mbx1.example:25', 'mbx2.example:25', 'mbx3.example:25'] },
        lmtp: { endpoints: ['mbx1.example:24', 'mbx2.example:24'] },
      },
      mta: { smtp: { endpoints: ['mta.example:25'] } },
      store: { lmtp: { endpoints: ['store.example:24'] } },
    }),
  ),
  group: 'mbx',
  protocol: 'smtp',
  absentProtocol: 'pop3',
  host: 'mbx2.example',
  delivery: 'lmtp',
  undeliveredHost: 'mbx3.example',
  plainGroup: 'mta',
  deliveryGroup: 'store',
}))

const users = new Map([
  ['alice', new Map([['group', 'first']])],
  [
    'bob@example.org',
    new Map([
      ['group', 'second'],
      ['host', 'mbx2'],
      ['destuser', 'robert'],
    ]),
  ],
  ['carol', new Map<string, string>()],
])
const directory = {
  lookup: (user: string) => {
    const fields = users.get(user)
    return fields === undefined ? undefined : { user, fields }
  },
}

locatorCompliance('users file, by name', () => ({
  locator: locatorOf({ type: 'users-file' }, { users: directory }),
  known: principalNamed('alice'),
  group: 'first',
  unknown: principalNamed('carol'),
}))
locatorCompliance('users file, by address', () => ({
  locator: locatorOf({ type: 'users-file', domains: ['Example.net'] }, { users: directory }),
  known: address('alice', 'example.net'),
  group: 'first',
  unknown: address('alice', 'elsewhere.example'),
}))
locatorCompliance('rule', () => ({
  locator: locatorOf({ type: 'rule', match: { domain: 'example.org', user: 'b*@*' }, group: 'cyrus' }),
  known: principalNamed('Bob@Example.ORG'),
  group: 'cyrus',
  unknown: principalNamed('alice@example.org'),
}))
locatorCompliance('hash', () => ({
  locator: locatorOf({ type: 'hash', group: 'dovecot', domains: ['example.org'] }),
  known: principalNamed('anybody'),
  group: 'dovecot',
  unknown: address('anybody', 'elsewhere.example'),
}))
locatorCompliance('auth_http', () => ({
  locator: locatorOf({ type: 'auth-http', group: 'dovecot' }),
  known: principalNamed('alice', { route: { source: 'auth-http', value: { host: '192.0.2.7', port: 143 } } }),
  group: 'dovecot',
  unknown: principalNamed('alice', { route: { source: 'other', value: { host: '192.0.2.7', port: 143 } } }),
}))

describe('locators', () => {
  test('the users file pins a host and renames a user for the backend, but never a recipient', async () => {
    const locator = locatorOf({ type: 'users-file' }, { users: directory })
    const name = await locator.locate(principalNamed('bob@example.org'), NEVER)
    expect(name).toMatchObject({ location: { group: 'second', host: 'mbx2', backendUser: 'robert' } })
    const recipient = await locator.locate(address('bob', 'example.org'), NEVER)
    expect(recipient).toEqual({ kind: 'found', location: { group: 'second', host: 'mbx2', source: 'users-file' } })
  })

  test('what the principal brings along is not looked up again', async () => {
    const locator = locatorOf({ type: 'users-file' })
    const who = principalNamed('dave', { fields: new Map([['group', 'third']]) })
    expect(await locator.locate(who, NEVER)).toMatchObject({ location: { group: 'third' } })
  })

  test.each([
    ['no object', 'x'],
    ['no host', { host: '', port: 143 }],
    ['port 0', { host: 'a', port: 0 }],
    ['a bare password', { host: 'a', port: 1, password: 'open' }],
  ])('auth_http: a route that is %s makes the lookup unavailable, not another backend', async (_says, value) => {
    const locator = locatorOf({ type: 'auth-http', group: 'g' })
    const who = principalNamed('alice', { route: { source: 'auth-http', value } })
    expect((await locator.locate(who, NEVER)).kind).toBe('unavailable')
  })

  test('auth_http: user and password for the backend are taken over', async () => {
    const password = new Secret('s')
    const value = { host: '192.0.2.7', port: 143, user: 'a2', password }
    const locator = locatorOf({ type: 'auth-http', group: 'g' })
    const answer = await locator.locate(principalNamed('a', { route: { source: 'auth-http', value } }), NEVER)
    expect(answer).toMatchObject({ location: { backendUser: 'a2', backendPassword: password } })
  })

  test('a chain asks in order, and stops where a lookup is away', async () => {
    const away = { ...locatorOf({ type: 'hash', group: 'g' }), locate: async () => ({ kind: 'unavailable' as const }) }
    const rule = locatorOf({ type: 'rule', match: { domain: 'example.org' }, group: 'ruled' })
    const hash = locatorOf({ type: 'hash', group: 'hashed' })
    const find = async (list: (typeof hash)[], user: string) => chainLocators(list).locate(principalNamed(user), NEVER)
    expect(await find([rule, hash], 'a@example.org')).toMatchObject({ location: { group: 'ruled' } })
    expect(await find([rule, hash], 'a@example.net')).toMatchObject({ location: { group: 'hashed' } })
    expect(await find([rule, away, hash], 'a@example.net')).toEqual({ kind: 'unavailable' })
    expect(await find([rule], 'a@example.net')).toEqual({ kind: 'none' })
  })

  test('a pattern of many stars takes no time', async () => {
    const locator = locatorOf({ type: 'rule', match: { user: `${'*a'.repeat(30)}*b` }, group: 'g' })
    const began = process.cpuUsage()
    expect((await locator.locate(principalNamed('a'.repeat(5_000)), NEVER)).kind).toBe('none')
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_000)
  })
})

describe('topology', () => {
  test.each([
    ['mbx.example:993', undefined, 'implicit'],
    ['mbx.example:143', undefined, 'starttls'],
    ['127.0.0.1:143', undefined, 'none'],
    ['[::1]:143', undefined, 'none'],
    ['localhost:143', undefined, 'none'],
    ['unix:/run/imap', undefined, 'none'],
    ['127.0.0.1:143', 'never', 'starttls'],
    ['10.0.0.5:143', ['10.0.0.0/8'], 'starttls'],
  ])('%s with cleartextPasswords %j is reached with TLS mode %s', (endpoint, cleartextPasswords, mode) => {
    const more = cleartextPasswords === undefined ? {} : { cleartextPasswords }
    const topology = topologyOf({ g: { imap4: { endpoints: [endpoint] }, ...more } })
    expect(topology.backendsOf('g', 'imap4')[0]?.tls.mode).toBe(mode)
  })

  test.each([
    ['a remote address', { imap4: { endpoints: ['192.0.2.1:143'], tls: { mode: 'none' } } }],
    ['a name', { imap4: { endpoints: ['mbx.example:143'], tls: { mode: 'none' } } }],
    ['an http URL', { http: { endpoints: ['http://web.example/'] } }],
    [
      'an address outside of the listed networks',
      { imap4: { endpoints: ['192.0.2.1:143'], tls: { mode: 'none' } }, cleartextPasswords: ['10.0.0.0/8'] },
    ],
    ['an https URL whose mode says none', { http: { endpoints: ['https://127.0.0.1/'], tls: { mode: 'none' } } }],
    ['HTTP with STARTTLS', { http: { endpoints: ['https://web.example/'], tls: { mode: 'starttls' } } }],
    ['an endpoint twice', { imap4: { endpoints: ['a.example:993', 'a.example:993'] } }],
  ])('%s without TLS, or with TLS that cannot be, is refused at the start', (_says, group) => {
    expect(() => topologyOf({ g: group })).toThrow(TopologyError)
  })

  test('a listed network may be reached without TLS', () => {
    const group = { imap4: { endpoints: ['10.1.2.3:143'], tls: { mode: 'none' } }, cleartextPasswords: ['10.0.0.0/8'] }
    expect(topologyOf({ g: group }).backendsOf('g', 'imap4')).toHaveLength(1)
  })

  test('URLs give address, path and TLS', () => {
    const [backend] = topologyOf({ g: { http: { endpoints: ['https://[2001:db8::1]:8443/dav/'] } } }).backendsOf(
      'g',
      'http',
    )
    expect(backend).toMatchObject({
      address: { host: '2001:db8::1', port: 8443 },
      path: '/dav',
      tls: { mode: 'implicit' },
    })
  })

  test('an endpoint that a lookup named keeps the rules of its group', () => {
    const router = createRouter(topologyOf({ g: { imap4: { endpoints: ['127.0.0.1:143'], tls: { mode: 'none' } } } }))
    const decide = (host: string) =>
      router.decide({
        location: { group: 'g', endpoint: { kind: 'tcp', host, port: 1143 }, source: 'auth-http' },
        protocol: 'imap4',
        networks: [],
        states: new Map(),
        hops: 0,
        spreadKey: 'a',
      })
    expect(decide('127.0.0.2')).toMatchObject({ kind: 'proxy', candidates: [{ id: 'g/imap4/127.0.0.2:1143' }] })
    expect(decide('192.0.2.1')).toEqual({ kind: 'refuse', reason: 'backend-unavailable' })
  })

  test('a block overrides the identity of its group, and authorities are read once', () => {
    const secret = new Secret('m')
    const group = {
      identity: { master: { user: 'portico', secret } },
      imap4: { endpoints: ['a.example:993'], tls: { ca: '/site.pem' } },
      smtp: { endpoints: ['a.example:25'], identity: 'xclient' },
    }
    const topology = topologyOf({ g: group })
    expect(topology.backendsOf('g', 'imap4')[0]).toMatchObject({
      identity: { kind: 'master', user: 'portico', secret },
      tls: { ca: 'read /site.pem', verify: true },
    })
    expect(topology.backendsOf('g', 'smtp')[0]?.identity).toEqual({ kind: 'xclient' })
  })

  test('an identity that asserts users is not one that delivers to them: a delivery has its own, or none', () => {
    const lmtp = { endpoints: ['127.0.0.1:24', 'unix:/run/lmtp', 'mbx.example:24'] }
    const topology = topologyOf({
      g: { identity: 'xclient', smtp: { endpoints: ['a.example:25'] }, lmtp },
      h: { lmtp: { ...lmtp, identity: 'xclient' } },
    })
    const identities = (group: string) => topology.backendsOf(group, 'lmtp').map(({ identity }) => identity.kind)
    expect(identities('g')).toEqual(['none', 'none', 'none'])
    expect(identities('h')).toEqual(['xclient', 'xclient', 'xclient'])
    expect(topology.backendsOf('g', 'smtp')[0]?.identity.kind).toBe('xclient')
    expect(topology.backendsOf('g', 'lmtp').map(({ tls }) => tls.mode)).toEqual(['none', 'none', 'starttls'])
  })

  test('pool and PROXY header are those of the group, unless a block has its own header', () => {
    const topology = topologyOf({
      mbx: {
        pool: { warm: 0, warmFor: '20s', groupConnections: 9 },
        proxyProtocol: 'v2',
        imap4: { endpoints: ['127.0.0.1:143'] },
        pop3: { endpoints: ['127.0.0.1:110'], proxyProtocol: 'none' },
      },
    })
    const [imap4] = topology.backendsOf('mbx', 'imap4')
    const [pop3] = topology.backendsOf('mbx', 'pop3')
    const rest = { queue: 1_000, waitMs: 2_000 }
    expect(imap4).toMatchObject({
      proxyProtocol: 'v2',
      pool: { warm: 0, warmMs: 20_000, groupConnections: 9, ...rest },
    })
    expect(pop3?.pool).toEqual(imap4?.pool)
    expect(pop3).not.toHaveProperty('proxyProtocol')
  })

  test('a redirection to a host of several groups stays in the own one', () => {
    const router = createRouter(
      topologyOf({
        first: { imap4: { endpoints: ['mbx.example:993'] } },
        second: { imap4: { endpoints: ['mbx.example:143', 'other.example:993'] } },
      }),
    )
    const follow = (host: string, port?: number) => {
      const states = new Map()
      const decision = router.follow({ protocol: 'imap4', group: 'second', host, port, states, hops: 1 })
      return decision.kind === 'proxy' ? decision.candidates[0].id : decision.kind
    }
    expect(follow('mbx.example')).toBe('second/imap4/mbx.example:143')
    expect(follow('mbx.example', 993)).toBe('first/imap4/mbx.example:993')
  })

  test('a lost backend moves only its own users', () => {
    const hosts = ['a', 'b', 'c', 'd'].map((host) => `${host}.example:993`)
    const first = (endpoints: string[], spreadKey: string) => {
      const decision = createRouter(topologyOf({ g: { imap4: { endpoints } } })).decide({
        location: { group: 'g', source: 't' },
        protocol: 'imap4',
        networks: [],
        states: new Map(),
        hops: 0,
        spreadKey,
      })
      return decision.kind === 'proxy' ? decision.candidates[0].id : ''
    }
    for (let user = 0; user < 200; user++) {
      const before = first(hosts, `u${user}`)
      if (before.includes('d.example')) continue
      expect(first(hosts.slice(0, 3), `u${user}`)).toBe(before)
    }
  })
})

describe('a group that is elsewhere', () => {
  const router = createRouter(
    topologyOf({
      there: { redirect: { imap4: 'imap.site2.example' }, pop3: { endpoints: ['mbx1.example:995'] } },
      here: { imap4: { endpoints: ['mbx1.example:993'] } },
    }),
  )
  const decide = (group: string, protocol: string, more: Partial<RouteQuestion> = {}) =>
    router.decide({
      location: { group, source: 't' },
      protocol,
      networks: [],
      states: new Map(),
      hops: 0,
      spreadKey: 'a',
      ...more,
    })

  test('sends its users to the name that the site gives, in the protocols that it names', () => {
    expect(decide('there', 'imap4')).toEqual({ kind: 'redirect', how: 'referral', to: 'imap.site2.example' })
    expect(decide('there', 'pop3')).toMatchObject({ kind: 'proxy' })
    expect(decide('here', 'imap4')).toMatchObject({ kind: 'proxy' })
  })

  test('sends nobody while the node leaves', () => {
    const states = new Map([['imap4', 'draining']] as const)
    expect(decide('there', 'imap4', { states })).toEqual({ kind: 'refuse', reason: 'draining' })
  })

  test('is known beforehand', () => {
    expect(router.redirections('imap4')).toContainEqual({ kind: 'redirect', how: 'referral', to: 'imap.site2.example' })
    expect(router.redirections('pop3')).toEqual([])
  })

  test.each([
    [{ imap4: 'imap://site2.example/' }],
    [{ imap4: 'a b' }],
    [{ imap4: 'x]y' }],
    [{ imap4: '' }],
    [{ http: 'http://web.example' }],
    [{ pop3: 'pop.example' }],
    [{ lmtp: 'lmtp.example' }],
  ])('takes no %j', (redirect) => {
    expect(schema.safeParse({ g: { redirect } }).success).toBe(false)
  })
})

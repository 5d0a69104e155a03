// SPDX-License-Identifier: MIT
import { buildTopology, createRouter, crossSite, type RouteClient, type SiteView, sitesSchema } from '@portico/routing'
import { describe, expect, test } from 'vitest'
import { backendsSchema } from '../src/schema.js'

const schema = backendsSchema(['imap4', 'pop3', 'smtp', 'http'], ['lmtp'])

const NAMED = { http: 'https://mail.two.example', imap4: 'imap.two.example' }

function siteOf(written: object, isOwn = false): SiteView {
  return { ...Object.values(sitesSchema.parse({ two: written }))[0], name: 'two', isOwn } as SiteView
}

type Way = 'proxied' | readonly [how: string, to: string]

function wayOf(protocol: string, client: RouteClient | undefined, site: SiteView, override?: string): Way {
  const answer = crossSite({ protocol, client, site, override })
  return answer === undefined ? 'proxied' : [answer.how, answer.to]
}

const WEB: RouteClient = { kind: 'web-mail', encrypted: true }
const WEB_IN_CLEAR: RouteClient = { kind: 'web-mail', encrypted: false }
const DEVICE: RouteClient = { kind: 'activesync', encrypted: true }
const SET_UP: RouteClient = { kind: 'autodiscover', encrypted: true }
/** EWS, MAPI, RPC, OAB, DAV, JMAP, and the programs of web mail's own pages; and all clients of other protocols. */
const OTHER: RouteClient = { encrypted: true }
const URL = NAMED.http

describe('whose mailbox is at another site', () => {
  test.each<[label: string, protocol: string, client: RouteClient | undefined, site: object, way: Way]>([
    ['web mail is shown a link', 'http', WEB, NAMED, ['manual', URL]],
    [
      'web mail is sent on where the site says so',
      'http',
      WEB,
      { ...NAMED, redirect: { webMail: 'silent' } },
      ['silent', URL],
    ],
    [
      'but not from an unencrypted page',
      'http',
      WEB_IN_CLEAR,
      { ...NAMED, redirect: { webMail: 'silent' } },
      ['manual', URL],
    ],
    [
      'web mail is carried through where the site says so',
      'http',
      WEB,
      { ...NAMED, redirect: { webMail: 'never' } },
      'proxied',
    ],
    ['web mail without an external URL', 'http', WEB, {}, 'proxied'],
    ['ActiveSync is told the other place', 'http', DEVICE, NAMED, ['device', URL]],
    ['ActiveSync without an external URL', 'http', DEVICE, {}, 'proxied'],
    ['ActiveSync by choice', 'http', DEVICE, { ...NAMED, redirect: { activesync: false } }, 'proxied'],
    ['Autodiscover is sent to the other one', 'http', SET_UP, NAMED, ['autodiscover', URL]],
    ['Autodiscover without an external URL', 'http', SET_UP, {}, 'proxied'],
    ['Autodiscover by choice', 'http', SET_UP, { ...NAMED, redirect: { autodiscover: false } }, 'proxied'],
    ['EWS, MAPI, Outlook Anywhere, OAB, DAV, JMAP', 'http', OTHER, NAMED, 'proxied'],
    ['IMAP4', 'imap4', OTHER, NAMED, 'proxied'],
    ['IMAP4 by choice', 'imap4', OTHER, { ...NAMED, redirect: { imap4: true } }, ['referral', 'imap.two.example']],
    ['IMAP4 by choice, without a name', 'imap4', OTHER, { http: URL, redirect: { imap4: true } }, 'proxied'],
    ['POP3', 'pop3', OTHER, { ...NAMED, redirect: { imap4: true } }, 'proxied'],
    ['SMTP submission', 'smtp', OTHER, { ...NAMED, redirect: { imap4: true } }, 'proxied'],
    ['mail for somebody there', 'smtp', undefined, NAMED, 'proxied'],
    ['web mail of somebody who has proved nothing', 'http', undefined, NAMED, 'proxied'],
    [
      'IMAP4 of somebody who has proved nothing',
      'imap4',
      undefined,
      { ...NAMED, redirect: { imap4: true } },
      'proxied',
    ],
  ])('%s', (_, protocol, client, site, way) => {
    expect(wayOf(protocol, client, siteOf(site))).toEqual(way)
    // At home nobody is sent anywhere, whatever the site is called by others.
    expect(wayOf(protocol, client, siteOf(site, true))).toBe('proxied')
  })
})

describe('a group that sends its users to a name of its own', () => {
  test.each<[label: string, protocol: string, client: RouteClient | undefined, how: string]>([
    ['people', 'http', WEB, 'same-request'],
    ['programs', 'http', OTHER, 'same-request'],
    ['devices', 'http', DEVICE, 'device'],
    ['Autodiscover', 'http', SET_UP, 'autodiscover'],
    ['IMAP4', 'imap4', OTHER, 'referral'],
  ])('sends %s there, whatever its site says', (_, protocol, client, how) => {
    const never = { ...NAMED, redirect: { webMail: 'never', activesync: false, autodiscover: false } }
    for (const site of [siteOf(never), siteOf(never, true)]) {
      expect(wayOf(protocol, client, site, 'elsewhere.example')).toEqual([how, 'elsewhere.example'])
    }
  })
})

describe('the router', () => {
  const around = { site: 'one', sites: sitesSchema.parse({ one: { http: 'https://mail.one.example' }, two: NAMED }) }
  const groups = {
    here: { imap4: { endpoints: ['mbx1.example:993'] } },
    there: { site: 'two', imap4: { endpoints: ['two.example:993'] }, http: { endpoints: ['https://two.example'] } },
  }
  const routerOf = (sites = around) => createRouter(buildTopology(schema.parse(groups), () => '', sites))
  const decide = (group: string, protocol: string, client?: RouteClient) =>
    routerOf().decide({
      location: { group, source: 't' },
      protocol,
      networks: [],
      states: new Map(),
      hops: 0,
      spreadKey: 'a',
      ...(client && { client }),
    })

  test('asks the site of the group', () => {
    expect(decide('there', 'http', DEVICE)).toEqual({ kind: 'redirect', how: 'device', to: URL })
    expect(decide('there', 'http', OTHER)).toMatchObject({ kind: 'proxy', candidates: [{ group: 'there' }] })
    expect(decide('there', 'imap4', OTHER)).toMatchObject({ kind: 'proxy', candidates: [{ group: 'there' }] })
    expect(decide('here', 'imap4', OTHER)).toMatchObject({ kind: 'proxy', candidates: [{ group: 'here' }] })
  })

  test('knows the site of each group, and its names', () => {
    const router = routerOf()
    expect(router.siteOf({ group: 'here' })).toMatchObject({
      name: 'one',
      isOwn: true,
      http: 'https://mail.one.example',
    })
    expect(router.siteOf({ group: 'there' })).toMatchObject({ name: 'two', isOwn: false, ...NAMED })
    expect(router.siteOf({ group: 'nowhere' })).toMatchObject({ name: 'one', isOwn: true })
  })

  test('without sites has one that has no name', () => {
    const alone = createRouter(buildTopology(schema.parse({ here: groups.here }), () => ''))
    expect(alone.siteOf({ group: 'here' })).toMatchObject({ name: undefined, isOwn: true, http: undefined })
  })

  test('says beforehand in which protocols somebody is sent away', () => {
    const protocols = ['imap4', 'pop3', 'smtp', 'http']
    expect(protocols.filter((protocol) => routerOf().redirections(protocol).length > 0)).toEqual(['http'])
    const referring = { ...around, sites: sitesSchema.parse({ one: {}, two: { ...NAMED, redirect: { imap4: true } } }) }
    expect(protocols.filter((protocol) => routerOf(referring).redirections(protocol).length > 0)).toEqual([
      'imap4',
      'http',
    ])
  })
})

describe('the names of a site', () => {
  test.each(['https://Mail.Example', 'https://mail.example/', 'https://mail.example:443'])('%s is a URL', (http) => {
    expect(sitesSchema.parse({ two: { http } })['two']?.http).toBe('https://mail.example')
  })

  test.each([
    [{ http: 'http://mail.example' }],
    [{ http: 'https://mail.example/owa' }],
    [{ http: 'https://user@mail.example' }],
    [{ http: 'https://mail.example/?a' }],
    [{ http: 'https://mail.example/#a' }],
    [{ http: 'mail.example' }],
    [{ imap4: 'imap://mail.example' }],
    [{ imap4: 'a\r\nb' }],
    [{ redirect: { webMail: 'always' } }],
  ])('%j is refused', (site) => {
    expect(sitesSchema.safeParse({ two: site }).success).toBe(false)
  })
})

// SPDX-License-Identifier: MIT
import type { AuthOutcome } from '@portico/auth'
import { type AuthFailureReason, Secret } from '@portico/base'
import { createMemoryStore, type StateStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { Browser, fieldOf, LOGON, locationOf, OWA, formsFront as start } from './browser.js'
import { BASIC } from './harness.js'

const MINUTE = 60_000

/** Everybody has the same password. */
function anybody(user: string): AuthOutcome {
  const [strength, source, epoch] = ['plain' as const, 'test', '1']
  const principal = { authcid: user, user, mechanism: 'FORMS', strength, source, epoch, fields: new Map() }
  const proof = { password: new Secret('secret') }
  return { kind: 'authenticated', principal: { ...principal, proof }, deferred: false, settle: async () => {} }
}

describe('a sign-in lives', () => {
  const settings = { ...OWA, forms: { publicTimeout: '10m', privateTimeout: '60m', longest: '90m' } }

  test('as long as it is used, and its cookie is made anew each half timeout', async () => {
    const clock = createFakeClock()
    await using front = await start({ settings, clock })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const first = browser.cookies.get('portico-sign-in')
    await clock.advance(4 * MINUTE)
    expect((await browser.open('/owa/')).head).not.toContain('Set-Cookie')
    await clock.advance(4 * MINUTE)
    const answer = await browser.open('/owa/')
    expect(answer.body).toBe('hi')
    expect(fieldOf(answer, 'Set-Cookie')).toMatch(/^portico-sign-in=.*; SameSite=Lax$/)
    expect(fieldOf(answer, 'Cache-Control')).toBe('private')
    expect(browser.cookies.get('portico-sign-in')).not.toBe(first)
    for (let time = 0; time < 9; time += 1) {
      await clock.advance(8 * MINUTE)
      expect((await browser.open('/owa/')).body).toBe('hi')
    }
  })

  test('for one and a half timeouts without use at most, and a browser is told why it ended', async () => {
    const clock = createFakeClock()
    await using front = await start({ settings, clock })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    await clock.advance(15 * MINUTE)
    expect((await browser.fetch('/owa/api')).status).toBe(440)
    await browser.signIn(LOGON)
    await clock.advance(15 * MINUTE)
    const sent = await browser.open('/owa/mail')
    expect(locationOf(sent)).toBe(`${LOGON}?url=%2Fowa%2Fmail&reason=3`)
    expect(browser.cookies.has('portico-sign-in')).toBe(false)
  })

  test('longer on a private computer', async () => {
    const clock = createFakeClock()
    await using front = await start({ settings, clock })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON, { flags: '4' })
    await clock.advance(59 * MINUTE)
    expect((await browser.open('/owa/')).body).toBe('hi')
    await clock.advance(60 * MINUTE)
    expect(locationOf(await browser.open('/owa/'))).toContain('reason=3')
  })

  test('not for ever, however much it is used', async () => {
    const clock = createFakeClock()
    await using front = await start({ settings, clock })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    for (let time = 0; time < 18; time += 1) {
      await clock.advance(5 * MINUTE)
      expect((await browser.open('/owa/')).body).toBe('hi')
    }
    await clock.advance(MINUTE)
    expect(locationOf(await browser.open('/owa/'))).toContain('reason=3')
  })

  test('no longer for what a page asks by itself', async () => {
    const clock = createFakeClock()
    await using front = await start({ settings, clock })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    await clock.advance(8 * MINUTE)
    expect((await browser.fetch('/owa/ev.owa?UA=0')).head).not.toContain('Set-Cookie')
    await clock.advance(7 * MINUTE)
    expect((await browser.fetch('/owa/ev.owa?UA=0')).status).toBe(440)
  })

  test.each([
    ['invalid-credentials', `${LOGON}?url=%2Fowa%2F&reason=4`, 302],
    ['password-expired', `${LOGON}?url=%2Fowa%2F&reason=4`, 302],
    ['account-disabled', undefined, 403],
    ['network-refused', undefined, 403],
    ['lookup-unavailable', undefined, 503],
  ] as const)('no longer than the account allows: %s', async (reason: AuthFailureReason, where, status) => {
    let now: AuthOutcome | undefined
    await using front = await start({ resume: () => now })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    expect((await browser.open('/owa/')).body).toBe('hi')
    now = { kind: 'failed', reason, waitMs: 0 }
    const answer = await browser.open('/owa/')
    expect(answer.status).toBe(status)
    expect(locationOf(answer)).toBe(where)
    expect(browser.cookies.has('portico-sign-in')).toBe(status !== 302)
  })

  test('on its own host only', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const elsewhere = new Browser(front.port, 'other.example.com')
    elsewhere.cookies.set('portico-sign-in', browser.cookies.get('portico-sign-in') ?? '')
    expect(locationOf(await elsewhere.open('/owa/'))).toContain('reason=0')
    expect(elsewhere.cookies.has('portico-sign-in')).toBe(false)
  })

  test('on its own host only, also on a connection on which it was good a moment ago', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const client = await browser.connect()
    const own = browser.lines('GET /owa/', '')
    client.send(...own, '', '')
    await client.take('hi')
    client.send(...own.map((line) => line.replace(/^Host: .*/, 'Host: other.example.com')), 'Connection: close', '', '')
    expect((await client.toEnd()).slice(0, 12)).toBe('HTTP/1.1 440')
  })
})

describe('the sign-out', () => {
  test.each(['/owa/auth/logoff.aspx', '/owa/logoff.owa', '/owa/LogOff.owa'])('by %s holds', async (path) => {
    await using front = await start()
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    await browser.open('/owa/')
    const kept = browser.cookies.get('portico-sign-in') ?? ''
    const out = await browser.open(path)
    expect(out.status).toBe(302)
    expect(locationOf(out)).toBe(`${LOGON}?reason=1`)
    expect(browser.cookies.has('portico-sign-in')).toBe(false)
    browser.cookies.set('portico-sign-in', kept)
    expect((await browser.fetch('/owa/api')).status).toBe(440)
  })

  test('holds at once on a connection that is open, and on another node', async () => {
    const state = createMemoryStore({ clock: createFakeClock() })
    await using one = await start({ state })
    await using other = await start({ state })
    const [browser, beside] = [new Browser(one.port), new Browser(other.port)]
    await browser.signIn(LOGON)
    beside.cookies.set('portico-sign-in', browser.cookies.get('portico-sign-in') ?? '')
    expect((await beside.open('/owa/')).body).toBe('hi')
    const client = await beside.connect()
    client.send(...beside.lines('GET /owa/api', ''), 'Sec-Fetch-Mode: cors', '', '')
    await client.take('hi')
    await browser.open('/owa/logoff.owa')
    client.send(...beside.lines('GET /owa/api', ''), 'Sec-Fetch-Mode: cors', 'Connection: close', '', '')
    expect((await client.toEnd()).slice(0, 12)).toBe('HTTP/1.1 440')
    expect((await beside.fetch('/owa/api')).status).toBe(440)
  })

  test('is known to a node that was not there when it happened', async () => {
    const state = createMemoryStore({ clock: createFakeClock() })
    await using one = await start({ state })
    const browser = new Browser(one.port)
    await browser.signIn(LOGON)
    const kept = browser.cookies.get('portico-sign-in') ?? ''
    await browser.open('/owa/logoff.owa')
    await using later = await start({ state })
    const beside = new Browser(later.port)
    beside.cookies.set('portico-sign-in', kept)
    expect((await beside.fetch('/owa/api')).status).toBe(440)
  })

  test('is not done for another site', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const led = await browser.open('/owa/logoff.owa', 'Sec-Fetch-Site: cross-site')
    expect(locationOf(led)).toBe('/owa/')
    expect((await browser.open('/owa/')).body).toBe('hi')
  })

  test('of one sign-in leaves the others of the same person', async () => {
    await using front = await start()
    const [phone, desk] = [new Browser(front.port), new Browser(front.port)]
    await phone.signIn(LOGON)
    await desk.signIn(LOGON)
    await phone.open('/owa/logoff.owa')
    expect((await desk.open('/owa/')).body).toBe('hi')
  })
})

describe("the application's own sign-out", () => {
  const directory = { mount: '/owa', auth: ['forms'], signOut: ['/so/*/logoff', '/?_task=logout'] }
  const settings = { directories: [directory] }

  test.each([
    ['/owa/so/alice/logoff', true],
    ['/owa/?_task=logout&_token=x', true],
    ['/owa?_token=x&_task=logout', true],
    ['/owa/so/logoff', false],
    ['/owa/so/alice/x/logoff', false],
    ['/owa/?_task=logouts', false],
    ['/owa/x?_task=logout', false],
  ])('%s ends the sign-in: %s', async (path, ends) => {
    const heads: string[] = []
    await using front = await start({ settings }, heads)
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const kept = browser.cookies.get('portico-sign-in') ?? ''
    expect((await browser.open(path)).body).toBe('hi')
    expect(heads[0]).toContain(BASIC)
    expect(browser.cookies.has('portico-sign-in')).toBe(!ends)
    browser.cookies.set('portico-sign-in', kept)
    expect((await browser.fetch('/owa/')).status).toBe(ends ? 440 : 200)
  })

  test('is not done for another site', async () => {
    await using front = await start({ settings })
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    await browser.open('/owa/so/alice/logoff', 'Sec-Fetch-Site: cross-site')
    expect((await browser.open('/owa/')).body).toBe('hi')
  })
})

describe('the sign-out from everywhere', () => {
  const EVERYWHERE = '/owa/auth/logoff.aspx?all=1'

  test('ends all sign-ins of the person on all nodes, and of nobody else; the next one is good', async () => {
    const clock = createFakeClock()
    const state = createMemoryStore({ clock })
    await using one = await start({ state, clock, login: anybody })
    await using other = await start({ state, clock, login: anybody })
    const [desk, phone, bob] = [new Browser(one.port), new Browser(other.port), new Browser(other.port)]
    await desk.signIn(LOGON)
    await phone.signIn(LOGON)
    await bob.signIn(LOGON, { username: 'bob' })
    expect((await phone.fetch('/owa/')).body).toBe('hi')
    await clock.advance(1)
    await desk.open(EVERYWHERE)
    expect((await phone.fetch('/owa/')).status).toBe(440)
    expect((await bob.fetch('/owa/')).body).toBe('hi')
    await clock.advance(1)
    await phone.signIn(LOGON)
    expect((await phone.fetch('/owa/')).body).toBe('hi')
    await using later = await start({ state, clock })
    const beside = new Browser(later.port)
    for (const [name, value] of phone.cookies) beside.cookies.set(name, value)
    expect((await beside.fetch('/owa/')).body).toBe('hi')
  })

  test('is known to a node that was not there when it happened', async () => {
    const clock = createFakeClock()
    const state = createMemoryStore({ clock })
    await using one = await start({ state, clock })
    const [desk, phone] = [new Browser(one.port), new Browser(one.port)]
    await desk.signIn(LOGON)
    await phone.signIn(LOGON)
    await desk.open(EVERYWHERE)
    await using later = await start({ state, clock })
    const beside = new Browser(later.port)
    for (const [name, value] of phone.cookies) beside.cookies.set(name, value)
    expect((await beside.fetch('/owa/')).status).toBe(440)
  })

  test('without a sign-in ends nothing', async () => {
    await using front = await start()
    const [browser, stranger] = [new Browser(front.port), new Browser(front.port)]
    await browser.signIn(LOGON)
    expect(locationOf(await stranger.open(EVERYWHERE))).toBe(`${LOGON}?reason=1`)
    expect((await browser.open('/owa/')).body).toBe('hi')
  })

  test('with a cookie that has been ended ends nothing more', async () => {
    const clock = createFakeClock()
    await using front = await start({ clock })
    const [browser, left, thief] = [new Browser(front.port), new Browser(front.port), new Browser(front.port)]
    await left.signIn(LOGON)
    for (const [name, value] of left.cookies) thief.cookies.set(name, value)
    await left.open('/owa/auth/logoff.aspx')
    await browser.signIn(LOGON)
    await clock.advance(1)
    await thief.open(EVERYWHERE)
    expect((await browser.open('/owa/')).body).toBe('hi')
  })

  test('is not for somebody whose password nobody has judged', async () => {
    const clock = createFakeClock()
    const unjudged = (user: string): AuthOutcome => ({ ...anybody(user), deferred: true }) as AuthOutcome
    await using front = await start({ clock, login: unjudged })
    const [alice, eve] = [new Browser(front.port), new Browser(front.port)]
    await alice.signIn(LOGON)
    await eve.signIn(LOGON, { password: 'guessed' })
    const eves = new Map(eve.cookies)
    await clock.advance(1)
    await eve.open(EVERYWHERE)
    expect((await alice.open('/owa/')).body).toBe('hi')
    for (const [name, value] of eves) eve.cookies.set(name, value)
    expect((await eve.open('/owa/')).status).toBe(302)
  })
})

describe('nodes', () => {
  test('take the cookies of each other', async () => {
    const state = createMemoryStore({ clock: createFakeClock() })
    await using one = await start({ state })
    await using other = await start({ state })
    const [browser, beside] = [new Browser(one.port), new Browser(other.port)]
    await browser.signIn(LOGON)
    for (const [name, value] of browser.cookies) beside.cookies.set(name, value)
    expect((await beside.open('/owa/')).body).toBe('hi')
  })

  test('without what they share say so, and nobody loses a sign-in by it', async () => {
    const inner = createMemoryStore({ clock: createFakeClock() })
    let away = false
    const get: StateStore['get'] = async (...asked) => (away ? { kind: 'unavailable' } : inner.get(...asked))
    await using one = await start({ state: inner })
    await using other = await start({ state: { ...inner, get } })
    const [browser, beside] = [new Browser(one.port), new Browser(other.port)]
    await browser.signIn(LOGON)
    for (const [name, value] of browser.cookies) beside.cookies.set(name, value)
    away = true
    expect((await beside.open('/owa/')).status).toBe(503)
    expect((await beside.open(LOGON)).status).toBe(503)
    away = false
    expect((await beside.open('/owa/')).body).toBe('hi')
  })
})

describe('a password that only the backend can judge', () => {
  const NO = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'

  test('is shown to it with each request', async () => {
    const heads: string[] = []
    await using front = await start({ deferred: true }, heads)
    const browser = new Browser(front.port)
    expect((await browser.signIn(LOGON)).status).toBe(302)
    expect((await browser.open('/owa/')).body).toBe('hi')
    expect((await browser.open('/owa/')).body).toBe('hi')
    expect(heads.every((head) => head.includes(BASIC))).toBe(true)
    expect(front.verdicts).not.toContain('refused')
  })

  test('and is wrong leads to the page again, and counts as wrong', async () => {
    await using front = await start({ deferred: true }, [], NO)
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const refused = await browser.open('/owa/mail')
    expect(locationOf(refused)).toBe(`${LOGON}?url=%2Fowa%2Fmail&reason=2`)
    expect(browser.cookies.has('portico-sign-in')).toBe(false)
    expect(front.verdicts.at(-1)).toBe('refused')
  })
})

// SPDX-License-Identifier: MIT
import type { AuthOutcome } from '@portico/auth'
import { describe, expect, test } from 'vitest'
import { Browser, fieldOf, hiddenFields, LOGON, locationOf, OK, OWA, formsFront as start } from './browser.js'
import { BASIC } from './harness.js'

describe('who is not signed in', () => {
  test('is sent to the page, which knows the way back', async () => {
    await using front = await start()
    const sent = await new Browser(front.port).open('/owa/mail?id=7&x=%2F')
    expect(sent.status).toBe(302)
    expect(locationOf(sent)).toBe('/owa/auth/logon.aspx?url=%2Fowa%2Fmail%3Fid%3D7%26x%3D%252F&reason=0')
    expect(fieldOf(sent, 'Cache-Control')).toBe('no-store')
  })

  test('is told 440 where a script asks, or a program', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    expect((await browser.fetch('/owa/api')).status).toBe(440)
    expect((await browser.ask('GET /owa/api', ['Accept: application/json'], '')).status).toBe(440)
    expect((await browser.ask('PROPFIND /owa/api', ['Accept: text/html'], '')).status).toBe(440)
    const older = ['Accept: text/html', 'X-Requested-With: XMLHttpRequest']
    expect((await browser.ask('GET /owa/api', older, '')).status).toBe(440)
    expect((await browser.ask('GET /owa/api', ['Accept: text/html'], '')).status).toBe(302)
  })

  test('is challenged where a program asks and the directory knows Basic; a browser is not', async () => {
    await using front = await start({ settings: { directories: [{ mount: '/owa', auth: ['forms', 'basic'] }] } })
    const browser = new Browser(front.port)
    const asked = await browser.ask('PROPFIND /owa/api', [], '')
    expect(asked.status).toBe(401)
    expect(fieldOf(asked, 'WWW-Authenticate')).toContain('Basic')
    expect((await browser.fetch('/owa/api')).status).toBe(440)
    expect((await browser.ask('GET /owa/api', [BASIC], '')).body).toBe('hi')
  })

  test('does not repeat a form: the way back is the directory', async () => {
    await using front = await start()
    const sent = await new Browser(front.port).ask('POST /owa/send', ['Sec-Fetch-Mode: navigate'], 'x')
    expect(locationOf(sent)).toBe('/owa/auth/logon.aspx?reason=0')
  })
})

describe('the page', () => {
  test('is given to everybody, in their language, with all that a browser has to know of it', async () => {
    await using front = await start()
    const page = await new Browser(front.port).open('/OWA/Auth/Logon.aspx', 'Accept-Language: de-CH')
    expect(page.status).toBe(200)
    expect(page.body).toContain('<html lang="de"')
    expect(page.body).toContain('action="/owa/auth.owa"')
    expect(fieldOf(page, 'Content-Type')).toBe('text/html; charset=utf-8')
    const policy = fieldOf(page, 'Content-Security-Policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(fieldOf(page, 'X-Content-Type-Options')).toBe('nosniff')
    expect(fieldOf(page, 'X-Frame-Options')).toBe('DENY')
    expect(fieldOf(page, 'Cache-Control')).toBe('no-store')
    expect(fieldOf(page, 'Set-Cookie')).toMatch(/^portico-page=[\w-]{22}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(page.head).not.toContain('Strict-Transport-Security')
  })

  test('says why it is shown', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    const text = async (reason: string) => (await browser.open(`${LOGON}?reason=${reason}`)).body
    expect(await text('0')).not.toContain('id="message"')
    expect(await text('1')).toContain('You are signed out.')
    expect(await text('2')).toContain('The user name or the password is wrong.')
    expect(await text('3')).toContain('nothing had been done for a while')
    expect(await text('4')).toContain('Your password was changed.')
    expect(await text('9')).not.toContain('id="message"')
  })

  test('keeps what browsers are told from what backends say, and says nothing of ours to them', async () => {
    await using front = await start({ settings: OWA }, [], OK)
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    const answer = await browser.open('/owa/')
    expect(answer.head).not.toMatch(/Content-Security-Policy|Cache-Control|X-Frame-Options|Set-Cookie/)
  })

  test('has no other methods', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    expect((await browser.ask(`POST ${LOGON}`, [], 'x')).status).toBe(405)
    expect((await browser.ask('PUT /owa/auth.owa', [], 'x')).status).toBe(405)
    expect(locationOf(await browser.open('/owa/auth.owa'))).toBe(`${LOGON}?reason=0`)
  })

  test('tells browsers to stay with encryption where the site wants that, and only over an encrypted connection', async () => {
    const settings = { ...OWA, forms: { hsts: '365d' } }
    await using plain = await start({ settings })
    expect((await new Browser(plain.port).open(LOGON)).head).not.toContain('Strict-Transport-Security')
    await using behind = await start({ settings, isProxy: true })
    const page = await new Browser(behind.port).open(LOGON, 'X-Forwarded-Proto: https')
    expect(fieldOf(page, 'Strict-Transport-Security')).toBe('max-age=31536000')
    expect(fieldOf(page, 'Set-Cookie')).toMatch(/^__Host-portico-page=.*; Secure; /)
  })
})

describe('the sign-in', () => {
  test('leads back to what was asked for, and its cookie opens it', async () => {
    const heads: string[] = []
    await using front = await start({}, heads)
    const browser = new Browser(front.port)
    const sent = await browser.open('/owa/mail?id=7')
    const signed = await browser.signIn(locationOf(sent) ?? '')
    expect(signed.status).toBe(302)
    expect(locationOf(signed)).toBe('/owa/mail?id=7')
    expect(fieldOf(signed, 'Set-Cookie')).toMatch(/^portico-sign-in=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
    expect((await browser.open('/owa/mail?id=7')).body).toBe('hi')
    expect(heads[0]).toContain(`\r\n${BASIC}\r\n`)
    expect(heads[0]).not.toContain('Cookie')
  })

  test("passes the application's own cookies, both ways", async () => {
    const heads: string[] = []
    await using front = await start({}, heads, OK.replace('\r\n\r\n', '\r\nSet-Cookie: app=1\r\n\r\n'))
    const browser = new Browser(front.port)
    await browser.signIn(LOGON)
    await browser.open('/owa/')
    await browser.open('/owa/')
    expect(heads[1]).toContain('\r\nCookie: app=1\r\n')
  })

  test('has no password in its cookie where no backend wants one', async () => {
    const heads: string[] = []
    await using front = await start({ identity: { kind: 'header', name: 'X-User-Name' } }, heads)
    await using replaying = await start()
    const [browser, beside] = [new Browser(front.port), new Browser(replaying.port)]
    await browser.signIn(LOGON)
    expect((await browser.open('/owa/')).body).toBe('hi')
    expect(heads[0]).toContain('\r\nX-User-Name: alice\r\n')
    await beside.signIn(LOGON)
    const sizes = [browser, beside].map(({ cookies }) => cookies.get('portico-sign-in')?.length ?? 0)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeGreaterThan('secret'.length)
  })

  test.each([
    ['https://evil.test/', '/owa/'],
    ['//evil.test/', '/owa/'],
    ['/owa/auth/logon.aspx?reason=2', '/owa/'],
    ['/owa/logoff.owa', '/owa/'],
    ['', '/owa/'],
    ['/elsewhere?x=1', '/elsewhere?x=1'],
  ])('with the destination %j leads to %s', async (destination, where) => {
    await using front = await start()
    expect(locationOf(await new Browser(front.port).signIn(LOGON, { destination }))).toBe(where)
  })

  test('with a wrong password leads to the page again, and back to the same place', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    const signed = await browser.signIn(`${LOGON}?url=%2Fowa%2Fmail`, { password: 'wrong' })
    expect(signed.status).toBe(302)
    expect(locationOf(signed)).toBe(`${LOGON}?url=%2Fowa%2Fmail&reason=2`)
    expect(browser.cookies.has('portico-sign-in')).toBe(false)
    expect(locationOf(await browser.signIn(locationOf(signed) ?? ''))).toBe('/owa/mail')
  })

  test('with a wrong password shows the name again, once, as it was filled in and no longer than the page takes it', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    for (const [typed, shown] of [
      ['älice"', 'älice&#34;'],
      ['a'.repeat(2_000), 'a'.repeat(512)],
    ] as const) {
      const signed = await browser.signIn(LOGON, { username: typed, password: 'wrong' })
      expect(locationOf(signed)).not.toContain(typed)
      expect((await browser.open(locationOf(signed) ?? '')).body).toContain(`value="${shown}" required`)
      expect((await browser.open(LOGON)).body).toContain('value="" required autofocus>')
    }
  })

  test.each([
    ['throttled', 429, 'There were too many attempts.', '90'],
    ['lookup-unavailable', 503, 'Signing in is not possible at the moment.', '10'],
    ['account-disabled', 403, 'This account may not be used here.', undefined],
    ['protocol-disabled', 403, 'This account may not be used here.', undefined],
    ['network-refused', 403, 'This account may not be used here.', undefined],
    ['password-expired', 403, 'Your password has expired.', undefined],
  ] as const)('that is %s shows the page with %d', async (reason, status, text, retry) => {
    const outcome: AuthOutcome = { kind: 'failed', reason, waitMs: reason === 'throttled' ? 90_000 : 0 }
    await using front = await start({ login: () => outcome })
    const signed = await new Browser(front.port).signIn(LOGON)
    expect(signed.status).toBe(status)
    expect(signed.body).toContain(text)
    expect(signed.body).toContain('value="alice" required')
    expect(fieldOf(signed, 'Retry-After')).toBe(retry)
  })

  test.each([
    [{ defaultDomain: 'example.com' }, ' alice ', 'alice@example.com'],
    [{ defaultDomain: 'example.com' }, 'alice@else.test', 'alice@else.test'],
    [{ defaultDomain: 'example.com' }, 'CORP\\alice', 'CORP\\alice'],
    [{}, 'alice', 'alice'],
  ])('with %j asks for %j as %s', async (forms, username, user) => {
    const asked: string[] = []
    await using front = await start({ settings: { ...OWA, forms }, login: (name) => void asked.push(name) })
    await new Browser(front.port).signIn(LOGON, { username })
    expect(asked).toEqual([user])
  })

  test('takes a name and a password in any script', async () => {
    const asked: string[] = []
    await using front = await start({ login: (...shown) => void asked.push(shown.join(' ')) })
    await new Browser(front.port).signIn(LOGON, { username: 'jürgen', password: '密码+& =%' })
    expect(asked).toEqual(['jürgen 密码+& =%'])
  })

  test('ends the connection after too many failures', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    const page = await browser.open(LOGON)
    const form = { ...hiddenFields(page.body), username: 'alice', password: 'wrong' }
    const text = new URLSearchParams(form).toString()
    const client = await browser.connect()
    for (let time = 0; time < 3; time += 1) {
      client.send(...browser.lines('POST /owa/auth.owa', text), '', text)
    }
    expect((await client.toEnd()).match(/HTTP\/1.1 302 Found/g)).toHaveLength(3)
    expect(await front.ended.at(-1)).toBe('too-many-failures')
  })
})

describe('a form that is not from our page', () => {
  test.each([
    ['with the Origin of another site', ['Origin: https://evil.test']],
    ['with an Origin that is kept secret', ['Origin: null']],
    ['that a browser calls cross-site', ['Sec-Fetch-Site: cross-site']],
    ['from a neighbour of the same site', ['Sec-Fetch-Site: same-site']],
  ])('%s is refused before its password is looked at', async (_label, lines) => {
    const asked: string[] = []
    await using front = await start({ login: (user) => void asked.push(user) })
    const browser = new Browser(front.port)
    const { body } = await browser.open(LOGON)
    const form = { ...hiddenFields(body), username: 'alice', password: 'secret' }
    expect((await browser.submit('/owa/auth.owa', form, ...lines)).status).toBe(403)
    expect(asked).toEqual([])
  })

  test.each(['without the token', 'without the cookie', 'with the token of another browser'])(
    '%s gets a fresh page, and its password is not looked at',
    async (how) => {
      const asked: string[] = []
      await using front = await start({ login: (user) => void asked.push(user) })
      const [browser, other] = [new Browser(front.port), new Browser(front.port)]
      const { body } = await browser.open(LOGON)
      const stranger = hiddenFields((await other.open(LOGON)).body)
      const fields = { ...hiddenFields(body), username: 'alice', password: 'secret' }
      if (how === 'without the cookie') browser.cookies.clear()
      const token = how === 'without the token' ? '' : (stranger['token'] ?? '')
      const form = how === 'without the cookie' ? fields : { ...fields, token }
      const answer = await browser.submit('/owa/auth.owa', form)
      expect(answer.status).toBe(200)
      expect(answer.body).toContain('This page was open for too long')
      expect(browser.cookies.has('portico-sign-in')).toBe(false)
      expect(asked).toEqual([])
      const again = { ...hiddenFields(answer.body), username: 'alice', password: 'secret' }
      expect((await browser.submit('/owa/auth.owa', again)).status).toBe(302)
    },
  )

  test('two pages that are open at a time both work', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    const first = hiddenFields((await browser.open(LOGON)).body)
    await browser.open(LOGON)
    const form = { ...first, username: 'alice', password: 'secret' }
    expect((await browser.submit('/owa/auth.owa', form)).status).toBe(302)
  })

  test('is no form, or too long, or broken', async () => {
    await using front = await start()
    const browser = new Browser(front.port)
    const type = 'Content-Type: application/x-www-form-urlencoded'
    const post = (lines: string[], body: string) => browser.ask('POST /owa/auth.owa', lines, body)
    expect((await post(['Content-Type: application/json'], '{}')).status).toBe(415)
    expect((await post([], 'ab')).status).toBe(415)
    expect((await post([type], 'x'.repeat(16 * 1024 + 1))).status).toBe(413)
    const client = await browser.connect()
    const head = ['POST /owa/auth.owa HTTP/1.1', 'Host: x', type, 'Transfer-Encoding: chunked', '']
    client.send(...head, '4001', 'x'.repeat(0x4001), '0', '', '')
    expect((await client.toEnd()).slice(0, 12)).toBe('HTTP/1.1 413')
    const broken = await browser.connect()
    broken.send(...head, 'zz', '')
    expect((await broken.toEnd()).slice(0, 12)).toBe('HTTP/1.1 400')
  })
})

// SPDX-License-Identifier: MIT
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newPerson, picture, startBrowser } from '../lib/browser.js'
import { fakeTime } from '../lib/fake-time.js'
import { eventually, scenario } from '../lib/scenario.js'
import {
  DAV,
  SOGO_STAGE_PROGRAMS,
  type SogoStage,
  startSogoStage,
  WEB_MAIL,
  WEB_MAIL_FILES,
} from '../lib/sogo-stage.js'

const MESSAGE = [
  ...['From: Bob <bob@test.lan>', 'To: alice@test.lan', 'Subject: Lunch on Friday'],
  ...['Date: Thu, 12 Nov 2026 10:20:30 +0000', '', 'Shall we say one?', ''],
].join('\r\n')
const PROGRAMS = [...SOGO_STAGE_PROGRAMS, 'chromium', 'faketime']
/** In a browser's cookies. */
const SIGN_IN = '__Host-portico-sign-in'

scenario('A browser in front of SOGo', { programs: PROGRAMS, root: true }, () => {
  let stage: SogoStage
  let browser: Browser
  const time = fakeTime()
  const url = (path: string): string => `https://localhost:${stage.portico.ports.https}${path}`

  beforeAll(async () => {
    const http = { directories: [WEB_MAIL, WEB_MAIL_FILES, DAV] }
    const auth = { delays: ['0s'], failuresPerUserAndAddress: 3 }
    ;[stage, browser] = await Promise.all([startSogoStage({ http, auth }, time.env), startBrowser()])
    stage.dovecot.deliver('alice', MESSAGE)
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** Opens the web mail without a sign-in, and fills in the page that it gets. */
  const signIn = async (page: Page, user = 'alice', password = 'alicepw', path = '/SOGo/'): Promise<void> => {
    await page.goto(url(path))
    await fillIn(page, user, password)
  }
  const fillIn = async (page: Page, user: string, password: string): Promise<void> => {
    await page.getByLabel('user name').fill(user)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  /** Signed in: the web mail answers. What it shows takes it some seconds more. */
  const webMail = (page: Page): Promise<void> => page.waitForURL(/\/SOGo\/so\/alice/, { waitUntil: 'commit' })
  /** A script of the page asks for the list of messages. */
  const statusOf = (page: Page, path: string): Promise<number> =>
    page.evaluate(`fetch('${path}', { method: 'POST', body: '{}' }).then(({ status }) => status)`)
  const inbox = (page: Page): Promise<void> => page.getByRole('button', { name: 'Lunch on Friday' }).waitFor()

  test('signs in by our page, reads a message, answers it, and signs out', async () => {
    const page = await newPerson(browser)
    await page.goto(url('/SOGo/'))
    expect(new URL(page.url()).pathname).toBe('/SOGo/auth/logon.aspx')
    expect(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")).toBe('h2')
    await picture(page, 'sign-in')
    await fillIn(page, 'alice', 'alicepw')
    await inbox(page)
    await page.getByRole('button', { name: 'Lunch on Friday' }).click()
    await page.getByText('Shall we say one?').waitFor()
    await picture(page, 'web-mail')
    await page.getByRole('button', { name: 'Reply', exact: true }).click()
    await page.locator('input[name=subject]').fill('gladly')
    await page.locator('[sg-ripple-click=mailEditor]').click()
    await page.locator('md-dialog').waitFor({ state: 'detached' })
    expect((await stage.dovecot.mailOf('bob', 1))[0]).toContain('Subject: gladly')

    const cookies = await page.context().cookies()
    await page.goto(url('/SOGo/auth/logoff.aspx'))
    await page.getByRole('status').getByText('You are signed out.').waitFor()
    await picture(page, 'signed-out')
    await page.goto(url('/SOGo/'))
    expect(new URL(page.url()).pathname).toBe('/SOGo/auth/logon.aspx')
    // Not even a cookie that somebody has kept opens it again.
    await page.context().addCookies(cookies)
    await page.goto(url('/SOGo/'))
    expect(new URL(page.url()).pathname).toBe('/SOGo/auth/logon.aspx')
  })

  test('SOGo’s own sign-out ends the sign-in too', async () => {
    const page = await newPerson(browser)
    await signIn(page)
    await webMail(page)
    await page.goto(url('/SOGo/so/alice/logoff'))
    await page.waitForURL(/\/SOGo\/auth\/logon\.aspx/)
    await page.goto(url('/SOGo/'))
    expect(new URL(page.url()).pathname).toBe('/SOGo/auth/logon.aspx')
  })

  test('the cookie holds for this host, over TLS, for no script and no other site', async () => {
    const page = await newPerson(browser)
    await signIn(page)
    await webMail(page)
    const cookie = (await page.context().cookies()).find(({ name }) => name === SIGN_IN)
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', domain: 'localhost', path: '/' })
    expect(Buffer.from(cookie?.value ?? '', 'base64url').toString('latin1')).not.toContain('alice')
    expect(await page.evaluate('document.cookie')).not.toContain('portico')
  })

  test('who is told to SOGo by a header is signed in there, and no password goes along', async () => {
    const page = await newPerson(browser)
    await signIn(page, 'bob', 'bobpw', '/SOGo/so/bob/Contacts/view')
    await page.waitForURL(/\/SOGo\/so\/bob\/Contacts\/view/, { waitUntil: 'commit' })
    // His mail server, which SOGo has nothing to show to, does not let it in: SOGo says 500. It ends each connection behind its
    // answer without a word, and a POST that was put on one just then is answered 502 and never asked twice.
    expect(await statusOf(page, '/SOGo/so/bob/Mail/0/folderINBOX/view')).toBeGreaterThanOrEqual(500)
  })

  test('what was asked for is shown after the sign-in, and only on this server', async () => {
    const page = await newPerson(browser)
    await signIn(page, 'alice', 'alicepw', '/SOGo/so/alice/Contacts/view')
    await page.waitForURL(/\/SOGo\/so\/alice\/Contacts\/view/, { waitUntil: 'commit' })
    const other = await newPerson(browser)
    await signIn(
      other,
      'alice',
      'alicepw',
      `/SOGo/auth/logon.aspx?url=${encodeURIComponent('//evil.example/')}&reason=0`,
    )
    await webMail(other)
    expect(new URL(other.url()).host).toBe(new URL(url('/')).host)
  })

  test('without scripts it works as well', async () => {
    const page = await newPerson(browser, { javaScriptEnabled: false })
    await signIn(page)
    await webMail(page)
  })

  test('a wrong password is told, and after some of them no more are looked at', async () => {
    const page = await newPerson(browser)
    await signIn(page, 'bob', 'guess-1')
    await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor()
    await picture(page, 'wrong-password')
    for (const guess of ['guess-2', 'guess-3']) await fillIn(page, 'bob', guess)
    await fillIn(page, 'bob', 'bobpw')
    await page.getByRole('alert').getByText('There were too many attempts.').waitFor()
    // Another user at the same address is not held up.
    await fillIn(page, 'alice', 'alicepw')
    await webMail(page)
  })

  test('whoever does nothing for long has to sign in again, and is led back; a page in use is told 440', async () => {
    const page = await newPerson(browser)
    await signIn(page)
    await webMail(page)
    const here = page.url()
    const ask = (): Promise<number> => statusOf(page, '/SOGo/so/alice/Mail/0/folderINBOX/view')
    await eventually(async () => expect(await ask()).toBe(200))
    time.aheadBy(40)
    // What was said of a cookie is believed for some seconds on the same connection.
    await eventually(async () => expect(await ask()).toBe(440))
    await page.reload()
    await page.getByRole('status').getByText('You were signed out because nothing had been done for a while.').waitFor()
    await picture(page, 'expired')
    await fillIn(page, 'alice', 'alicepw')
    await webMail(page)
    expect(page.url().replace(/#.*/, '')).toBe(here.replace(/#.*/, ''))
  })

  test('on a private computer the same time does no harm', async () => {
    const page = await newPerson(browser)
    await page.goto(url('/SOGo/'))
    await page.getByLabel('Only I use it').check()
    await fillIn(page, 'alice', 'alicepw')
    await webMail(page)
    time.aheadBy(80)
    const later = await newPerson(browser)
    await later.context().addCookies(await page.context().cookies())
    await later.goto(url('/SOGo/'))
    await webMail(later)
  })

  test('the page is in the reader’s language, for a phone’s width, and dark where that is wanted', async () => {
    const phone = { viewport: { width: 390, height: 740 } }
    const arabic = await newPerson(browser, { ...phone, locale: 'ar' })
    await arabic.goto(url('/SOGo/'))
    expect(await arabic.evaluate('document.documentElement.dir')).toBe('rtl')
    expect(await arabic.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await picture(arabic, 'sign-in-arabic')
    const german = await newPerson(browser, { ...phone, locale: 'de-DE', colorScheme: 'dark' })
    await german.goto(url('/SOGo/'))
    await german.getByRole('button', { name: 'Anmelden' }).waitFor()
    await picture(german, 'sign-in-dark')
  })

  test('the page loads nothing else, and its policy lets no script run', async () => {
    const page = await newPerson(browser)
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const answer = await page.goto(url('/SOGo/auth/logon.aspx'))
    expect(asked.filter((path) => path !== '/favicon.ico')).toEqual(['/SOGo/auth/logon.aspx'])
    const { 'content-security-policy': policy = '', 'cache-control': cache } = answer?.headers() ?? {}
    expect(policy).toMatch(/default-src 'none'/)
    expect(policy).not.toMatch(/unsafe|script-src(?! 'none')/)
    expect(cache).toContain('no-store')
  })

  test('no password is in any log line', async () => {
    await eventually(() => expect(stage.portico.log()).toContain('signed out'))
    for (const secret of ['alicepw', 'bobpw', 'guess-']) expect(stage.portico.log()).not.toContain(secret)
  })
})

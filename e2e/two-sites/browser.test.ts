// SPDX-License-Identifier: MIT
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPerson, picture, startBrowser } from '../lib/browser.js'
import { scenario } from '../lib/scenario.js'
import { passwordOf, type Site, startTwoSites, type TwoSites } from '../lib/two-sites.js'

const needs = { programs: ['dovecot', 'postfix', 'chromium', 'openssl'], root: true }

/** Browsers hold the policies of the sign-in page against where it leads. */
scenario('a browser whose mailbox is at the other site', needs, () => {
  let sites: TwoSites
  let browser: Browser

  beforeAll(async () => {
    ;[sites, browser] = await Promise.all([startTwoSites(), startBrowser('test.lan')])
  })
  afterAll(async () => {
    await browser?.close()
    await sites?.[Symbol.asyncDispose]()
  })

  async function signIn(page: Page): Promise<void> {
    await page.getByLabel('user name').fill('bob')
    await page.getByLabel('Password').fill(passwordOf('bob'))
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const signInAt = async (page: Page, site: Site): Promise<void> => {
    await page.waitForURL(`${site.url}/owa/auth/logon.aspx?*`)
    await signIn(page)
  }
  const textOf = (page: Page) => page.locator('body').textContent()

  test('signs in, is shown the link, follows it, signs in there and is in', async () => {
    const page = await newPerson(browser)
    await page.goto(`${sites.berlin.url}/owa/?id=7`)
    await signInAt(page, sites.berlin)
    const link = page.getByRole('link', { name: 'Go to my mailbox' })
    await link.waitFor()
    await picture(page, 'other-site')
    await link.click()
    await signInAt(page, sites.munich)
    await page.waitForURL(`${sites.munich.url}/owa/?id=7`)
    expect(await textOf(page)).toMatch(/^munich: bob GET \/owa\/\?id=7/)
  })

  test('is sent on from the form without a word where the site says so', async () => {
    await sites.berlin.redirect({ webMail: 'silent' })
    const page = await newPerson(browser)
    await page.goto(`${sites.berlin.url}/owa/?id=7`)
    await signInAt(page, sites.berlin)
    await signInAt(page, sites.munich)
    await page.waitForURL(`${sites.munich.url}/owa/?id=7`)
    expect(await textOf(page)).toMatch(/^munich: bob GET \/owa\/\?id=7/)
  })
})

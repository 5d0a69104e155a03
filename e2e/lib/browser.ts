// SPDX-License-Identifier: MIT
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '@portico/testkit'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Nothing is asked of the world; as root there is no sandbox. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
]

/** The machine's Chromium, without a window. All names of this domain lead to this machine. */
export function startBrowser(domain?: string): Promise<Browser> {
  const names = domain === undefined ? [] : [`--host-resolver-rules=MAP *.${domain} 127.0.0.1`]
  return chromium.launch({ executablePath: findProgram('chromium') ?? 'chromium', args: [...FLAGS, ...names] })
}

/** A new person at the browser: no cookies, English, a window of moderate size. The test's certificates are taken. */
export async function newPerson(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const viewport = { width: 1000, height: 640 }
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', viewport, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  return page
}

/** Where pictures for the documentation go; they are not kept when it is not set. */
const PICTURES = process.env['PORTICO_PICTURES']

/** Keeps what the browser shows, for the documentation. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' })
}

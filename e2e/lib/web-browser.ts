// SPDX-License-Identifier: MIT
import { type Fetched, fetched } from './curl.js'

/**
 * A person with a browser, as far as curl is one: it keeps cookies, follows redirects and sends forms. Each step is a connection
 * of its own.
 */
export class WebBrowser {
  readonly #origin: string
  // Not curl's own, which forgets that a cookie was taken away.
  readonly #cookies = new Map<string, string>()

  /** `origin`: scheme, host and port. */
  constructor(origin: string) {
    this.#origin = origin
  }

  /** What it sends as Cookie. */
  get cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Opens a page, and what it leads to. */
  async open(path: string, ...more: readonly string[]): Promise<Fetched> {
    const person = [
      '-H',
      'Accept: text/html',
      '-H',
      'Sec-Fetch-Mode: navigate',
      '-A',
      'Mozilla/5.0 (X11; Linux x86_64)',
    ]
    let [url, args] = [new URL(path, this.#origin), more]
    for (let steps = 0; steps < 10; steps++) {
      const kept = this.#cookies.size === 0 ? [] : ['-b', this.cookies]
      const page = await fetched(url.href, [...person, ...kept, ...args])
      this.#keep(page.fields)
      const next = page.field('location')
      if (page.status < 300 || page.status > 399 || next === undefined)
        return page
        // What was a form becomes a look (RFC 9110 section 15.4.3).
      ;[url, args] = [new URL(next, url), []]
    }
    throw new Error(`${path} leads round in circles`)
  }

  /** Fills in the form of a page and sends it. */
  submit(page: Fetched, fields: Readonly<Record<string, string>>): Promise<Fetched> {
    const action = attribute(page.body, /<form[^>]*\saction="([^"]*)"/)
    const all = { ...hiddenFields(page.body), ...fields }
    const data = Object.entries(all).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
    return this.open(action, ...data, '-H', `Origin: ${this.#origin}`)
  }

  /** Opens a page that asks for a sign-in, and signs in there. */
  async signIn(path: string, username: string, password: string): Promise<Fetched> {
    return this.submit(await this.open(path), { username, password })
  }

  #keep(fields: readonly string[]): void {
    for (const field of fields) {
      const [, name = '', value = '', attributes = ''] = /^set-cookie: ([^=]+)=([^;]*)(.*)/.exec(field) ?? []
      if (/;\s*max-age=0\b/i.test(attributes)) this.#cookies.delete(name)
      else if (name !== '') this.#cookies.set(name, value)
    }
  }
}

function hiddenFields(page: string): Readonly<Record<string, string>> {
  const inputs = page.match(/<input type="hidden"[^>]*>/g) ?? []
  return Object.fromEntries(
    inputs.map((input) => [attribute(input, /name="([^"]*)"/), attribute(input, /value="([^"]*)"/)]),
  )
}

function attribute(text: string, pattern: RegExp): string {
  const [, value] = pattern.exec(text) ?? []
  if (value === undefined) throw new Error(`nothing like ${pattern} in ${text.slice(0, 2_000)}`)
  return value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

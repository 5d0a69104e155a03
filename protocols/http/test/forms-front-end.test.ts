// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { temporaryFolder } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { hiddenFields } from './browser.js'
import { ask, Http2Front } from './http2-front.js'

const OK: RequestListener = (_request, response) => void response.end('hi')
const LOGON = '/owa/auth/logon.aspx'

/** A whole front end with a users file of its own, behind which a backend trusts a header. */
async function start(listener: RequestListener = OK, over: Readonly<Record<string, unknown>> = {}) {
  const users = join(temporaryFolder('portico-forms-'), 'users')
  const write = (text: string): void => writeFileSync(users, text, { mode: 0o600 })
  write('alice:{PLAIN}secret\n')
  const front = await Http2Front.start(listener, {
    credentials: [{ type: 'users-file', path: users }],
    http: { directories: [{ preset: 'owa' }] },
    ...over,
  })
  return { front, write, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() }
}

/** A person with a browser that speaks HTTP/2; each of them has a connection. */
class Person {
  readonly cookies = new Map<string, string>()
  readonly #client: ReturnType<Http2Front['client']>
  readonly #authority: string

  constructor(front: Http2Front) {
    this.#client = front.client()
    this.#authority = `localhost:${front.port}`
  }

  open(path: string, more: OutgoingHttpHeaders = {}) {
    return this.#ask({ ':path': path, 'sec-fetch-mode': 'navigate', ...more })
  }

  async signIn(password = 'secret') {
    const form = { ...hiddenFields((await this.open(LOGON)).body), username: 'alice', password }
    const about = { origin: `https://${this.#authority}`, 'content-type': 'application/x-www-form-urlencoded' }
    return this.#ask({ ':method': 'POST', ':path': '/owa/auth.owa', ...about }, new URLSearchParams(form).toString())
  }

  async #ask(headers: OutgoingHttpHeaders, body?: string) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`)
    const got = await ask(this.#client, { ...(cookie.length === 0 ? {} : { cookie }), ...headers }, body)
    for (const line of got.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (line.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return got
  }
}

describe('the sign-in page of a whole front end, over TLS and HTTP/2', () => {
  test('signs in, and the log names the way', async () => {
    const seen: unknown[] = []
    await using world = await start((request, response) => {
      seen.push([request.headers.authorization, request.headers.cookie])
      response.end('hi')
    })
    const alice = new Person(world.front)
    const sent = await alice.open('/owa/mail')
    expect([sent.status, sent.headers.location]).toEqual([302, `${LOGON}?url=%2Fowa%2Fmail&reason=0`])
    const signed = await alice.signIn()
    expect([signed.status, signed.headers.location]).toEqual([302, '/owa/'])
    expect(signed.headers['set-cookie']?.[0]).toMatch(
      /^__Host-portico-sign-in=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
    expect((await alice.open('/owa/mail')).body).toBe('hi')
    expect(seen).toEqual([[`Basic ${Buffer.from('alice:secret').toString('base64')}`, undefined]])
    expect((await world.front.line('signed in')).facts).toMatchObject({ user: 'alice', mechanism: 'FORMS' })
  })

  test('counts wrong passwords like those of the other protocols, and says so', async () => {
    await using world = await start(OK, { auth: { delays: ['0s'], failuresPerUserAndAddress: 2 } })
    const alice = new Person(world.front)
    for (const guess of ['one', 'two']) {
      expect((await alice.signIn(guess)).headers.location).toBe(`${LOGON}?url=%2Fowa%2F&reason=2`)
    }
    const held = await new Person(world.front).signIn()
    expect(held.status).toBe(429)
    expect(Number(held.headers['retry-after'])).toBeGreaterThan(0)
    expect(held.body).toContain('There were too many attempts.')
  })

  test('an account whose password was changed signs in again', async () => {
    await using world = await start()
    const alice = new Person(world.front)
    await alice.signIn()
    expect((await alice.open('/owa/')).body).toBe('hi')
    world.write('alice:{PLAIN}another\n')
    await expect
      .poll(async () => (await alice.open('/owa/')).headers.location, { timeout: 60_000, interval: 250 })
      .toBe(`${LOGON}?url=%2Fowa%2F&reason=4`)
    expect((await alice.signIn('another')).headers.location).toBe('/owa/')
  })

  test('an access rule for FORMS keeps the page from everybody, or an account from the page', async () => {
    const rule = { name: 'no-page', mechanisms: ['FORMS'], action: 'deny' }
    const http = { directories: [{ mount: '/owa', auth: ['forms'] }] }
    await using closed = await start(OK, { accessRules: [rule], http })
    expect((await new Person(closed.front).open(LOGON)).status).toBe(403)
    await using open = await start(OK, { accessRules: [{ ...rule, users: ['alice'] }], http })
    const alice = new Person(open.front)
    const refused = await alice.signIn()
    expect([refused.status, alice.cookies.size]).toEqual([403, 1])
    expect(refused.body).toContain('This account may not be used here.')
  })
})

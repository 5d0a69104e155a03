// SPDX-License-Identifier: MIT
import type { Decision, Redirection, RouteClient } from '@portico/routing'
import { siteView } from '@portico/routing'
import { describe, expect, test } from 'vitest'
import { MOST_REDIRECTS } from '../src/elsewhere/redirect-budget.js'
import { LANGUAGES } from '../src/forms/language.js'
import { type Answer, Browser, fieldOf, locationOf } from './browser.js'
import { answering, BASIC, Front, type World } from './harness.js'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
const THERE = 'https://mail.other.example'
const NAVIGATES = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']

interface Asked {
  readonly answer: Answer
  /** As the router was asked. */
  readonly clients: readonly (RouteClient | undefined)[]
}

/** One request of alice, whose mailbox is elsewhere. */
async function ask(
  how: Redirection['how'],
  start: string,
  lines: readonly string[] = [],
  more: World = {},
): Promise<Asked> {
  const clients: (RouteClient | undefined)[] = []
  const decision: Decision = { kind: 'redirect', how, to: THERE }
  await using front = await Front.start(
    answering([], () => ANSWER),
    {
      settings: { directories: ['owa', 'ews', 'activesync', 'public'].map((preset) => ({ preset })) },
      decide: ({ client }) => {
        clients.push(client)
        return decision
      },
      ...more,
    },
  )
  const answer = await new Browser(front.port).ask(start, [BASIC, ...lines], '')
  return { answer, clients }
}

describe('what the router is asked with', () => {
  test.each<[label: string, start: string, lines: readonly string[], kind: RouteClient['kind']]>([
    ['a person with a browser', 'GET /owa/', NAVIGATES, 'web-mail'],
    ['an older browser', 'GET /owa/', ['Accept: text/html'], 'web-mail'],
    ['a form that a person sends', 'POST /owa/send', NAVIGATES, 'web-mail'],
    ['the other directory of web mail', 'GET /public/', NAVIGATES, 'web-mail'],
    ['a script of a page', 'GET /owa/', ['Sec-Fetch-Mode: cors', 'Accept: text/html'], undefined],
    ['a program', 'GET /owa/', [], undefined],
    ['a device', 'OPTIONS /Microsoft-Server-ActiveSync', [], 'activesync'],
    ['EWS, by a browser too', 'GET /EWS/', NAVIGATES, undefined],
  ])('%s', async (_, start, lines, kind) => {
    const { clients } = await ask('same-request', start, lines)
    expect(clients).toEqual([kind === undefined ? { encrypted: false } : { kind, encrypted: false }])
  })

  test('encrypted is what one of the site’s proxies says so of', async () => {
    const { clients } = await ask('manual', 'GET /owa/', [...NAVIGATES, 'X-Forwarded-Proto: https'], { isProxy: true })
    expect(clients).toEqual([{ kind: 'web-mail', encrypted: true }])
  })
})

describe('the same place at the other site', () => {
  test.each<[how: Redirection['how'], start: string, status: number, location: string]>([
    ['silent', 'GET /owa/inbox?id=7', 302, `${THERE}/owa/inbox?id=7`],
    ['silent', 'POST /owa/send?id=7', 302, `${THERE}/owa/`],
    ['autodiscover', 'GET /EWS/a?b', 302, `${THERE}/EWS/a?b`],
    ['same-request', 'POST /EWS/a?b', 307, `${THERE}/EWS/a?b`],
  ])('%s: %s', async (how, start, status, location) => {
    const { answer } = await ask(how, start, NAVIGATES)
    expect([answer.status, locationOf(answer)]).toEqual([status, location])
  })

  test('of a device', async () => {
    const { answer } = await ask('device', 'OPTIONS /Microsoft-Server-ActiveSync?a=b')
    expect([answer.status, fieldOf(answer, 'X-MS-Location')]).toEqual([451, `${THERE}/Microsoft-Server-ActiveSync`])
  })
})

describe('the page with a link', () => {
  test.each(LANGUAGES)('in $lang', async (texts) => {
    const { answer } = await ask('manual', 'GET /owa/', [...NAVIGATES, `Accept-Language: ${texts.lang}`])
    expect(answer.status).toBe(200)
    expect(answer.body).toContain(`<html lang="${texts.lang}" dir="${texts.dir}">`)
    for (const text of [texts.elsewhere, texts.elsewhereHint, texts.goOn]) expect(answer.body).toContain(text)
    expect(answer.body).toContain(`href="${THERE}/owa/"`)
    expect(answer.body).toContain('>mail.other.example</p>')
    expect(fieldOf(answer, 'Cache-Control')).toBe('no-store')
    expect(fieldOf(answer, 'X-Frame-Options')).toBe('DENY')
  })

  test('says no markup of the address', async () => {
    const { answer } = await ask('manual', `GET /owa/?a="><script>&b='`, NAVIGATES)
    expect(answer.body).not.toContain('<script')
  })

  test('is counted for nobody', async () => {
    expect((await many('manual')).every((status) => status === 200)).toBe(true)
  })
})

/** The answers to one more request than are sent on. */
async function many(how: Redirection['how']): Promise<readonly number[]> {
  const decision: Decision = { kind: 'redirect', how, to: THERE }
  await using front = await Front.start(
    answering([], () => ANSWER),
    { settings: { directories: [{ preset: 'owa' }] }, decide: () => decision },
  )
  const browser = new Browser(front.port)
  const statuses: number[] = []
  for (let count = 0; count <= MOST_REDIRECTS; count += 1) {
    statuses.push((await browser.open('/owa/', BASIC)).status)
  }
  return statuses
}

test('whoever is sent on again and again is told to wait', async () => {
  expect(await many('silent')).toEqual([...Array<number>(MOST_REDIRECTS).fill(302), 503])
})

test.each<[Redirection, string]>([
  [{ kind: 'redirect', how: 'silent', to: THERE }, `'self' ${THERE}`],
  [{ kind: 'redirect', how: 'same-request', to: 'mail.other.example' }, `'self' ${THERE}`],
  [{ kind: 'redirect', how: 'manual', to: THERE }, "'self'"],
  [{ kind: 'redirect', how: 'device', to: THERE }, "'self'"],
])('a sign-in may end where %j leads (CSP form-action)', async (redirection, allowed) => {
  const router = {
    decide: (): Decision => ({ kind: 'refuse', reason: 'backend-unavailable' }),
    redirections: () => [redirection],
    follow: (): Decision => ({ kind: 'refuse', reason: 'backend-unavailable' }),
    siteOf: () => siteView({}, undefined),
  }
  await using front = await Front.start(
    answering([], () => ANSWER),
    { settings: { directories: [{ preset: 'owa', auth: ['forms'] }] }, services: { router } },
  )
  const page = await new Browser(front.port).open('/owa/auth/logon.aspx')
  expect(fieldOf(page, 'Content-Security-Policy')).toContain(`form-action ${allowed};`)
})

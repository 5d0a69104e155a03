// SPDX-License-Identifier: MIT
// The sign-in page: what a form says, what a cookie is taken for, and where a sign-in leads.
import { must } from '../engine.mjs'
import { FakeLeg } from '../fake-leg.mjs'

const LIMITS = { head: 4_096, target: 512, fields: 40 }
const KEY = 'thirty-two characters or more of a key'
const TIMEOUTS = { public: 900_000, private: 28_800_000 }
const PLACE = { cookie: '__Host-portico-sign-in', host: 'mail.example.com', at: 1_800_000_000_000 }
const TICKET = {
  id: 'abcdefghijklmnopqrstuv',
  authTime: PLACE.at,
  deferred: false,
  earlier: { user: 'kim', authcid: 'kim' },
}

export async function httpFormsTargets(load) {
  const { readForm } = await load('protocols/http', 'forms/read-form')
  const { cookieValue } = await load('protocols/http', 'forms/cookies')
  const { configuredRing } = await load('protocols/http', 'forms/key-ring')
  const { open, seal } = await load('protocols/http', 'forms/seal')
  const { isPageToken, pageToken } = await load('protocols/http', 'forms/page-token')
  const { safeDestination } = await load('protocols/http', 'forms/destination')
  const { cookiesForBackend, cookieForClient, setsOurCookie } = await load('protocols/http', 'backend/cookies')
  const { directorySchema } = await load('protocols/http', 'directory/schema')
  const { ClientReader } = await load('protocols/http', 'client/client-reader')
  const { H1Exchange } = await load('protocols/http', 'client/h1-exchange')
  const { readIncoming } = await load('protocols/http', 'client/incoming')

  const ring = configuredRing([KEY])
  const sealed = await seal(ring, TIMEOUTS, 'private', TICKET, PLACE)
  const token = await pageToken(ring, 'a cookie', PLACE)
  const view = {
    directory: directorySchema.parse({ mount: '/owa', backendPath: '/SOGo' }),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
    backendScheme: 'http',
  }

  /** Puts octets behind a request head, and reads them as the form that it announces. */
  const formIn = (framing) => async (_bytes, pieces) => {
    const head = Buffer.from(`POST /owa/auth.owa HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`)
    const leg = new FakeLeg([head, ...pieces])
    const reader = new ClientReader(
      leg,
      LIMITS,
      { keepAlive: 1, headerTimeout: 1 },
      () => {},
      () => Infinity,
    )
    leg.setReader(reader)
    const client = new H1Exchange(reader, { discardBody: 0, wallNow: () => 0 })
    const request = readIncoming(await reader.readHead())
    client.begin(request)
    const session = { services: { wheel: { add: () => ({ cancel() {} }) } } }
    const connection = { client, session, prepared: { settings: { headerTimeout: 1 } } }
    const form = await readForm(connection, request, 'application/x-www-form-urlencoded')
    return typeof form === 'string' ? form : [...form]
  }
  const words = [
    ...['username=', 'password=', 'destination=', 'flags=4', 'token=', '&', '=', '+', '%', '%00', '%ff', '%C3%A4'],
    ...['kim', ';', '\r\n', '\0', '%2Fowa%2F', '\xe4'],
  ]
  const form = 'username=kim&password=a%2Bb+c&destination=%2Fowa%2F&flags=4&token=x'
  const checkForm = (read) => {
    if (typeof read === 'string') must(['too-long', 'broken', 'gone'].includes(read), 'a reason without a name')
    else must(read.flat().join('').length <= 16_384, 'more than may be in memory')
  }

  return [
    {
      name: 'http-form-sized',
      streams: true,
      words,
      examples: [form, form.slice(0, 20), ''],
      run: formIn(`Content-Length: ${form.length}`),
      check: checkForm,
    },
    {
      name: 'http-form-chunked',
      streams: true,
      words: [...words, '5\r\n', '\r\n0\r\n\r\n', 'a\r\n0123456789\r\n', '4001\r\n', 'T: x\r\n'],
      examples: [`${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`, '5\r\na=b&c\r\n0\r\nT: x\r\n\r\n'],
      run: formIn('Transfer-Encoding: chunked'),
      check: checkForm,
    },
    {
      name: 'http-cookies',
      words: [
        ...['__Host-portico-sign-in', 'portico-page', 'X-BEResource', '__Secure-', '__http-', '=', ';', ',', ' ', '\t'],
        ...['"', 'a=b', 'Path=/SOGo', 'Domain=example.com', 'Domain=.com', 'HttpOnly', '\xff', '$Version=1'],
      ],
      examples: [
        'a=b; __Host-portico-sign-in=x; c="d;portico-page=y"',
        'sogo=1; Path=/SOGo; Domain=mail.example.com; HttpOnly',
      ],
      async run(bytes) {
        const text = bytes.toString('latin1')
        return {
          passed: cookiesForBackend(text),
          ours: cookieValue(text, PLACE.cookie),
          set: setsOurCookie(text) ? undefined : cookieForClient(view, text),
          text,
        }
      },
      check({ passed, ours, set, text }) {
        for (const pair of (passed ?? '').split(/[;,]/)) {
          const name = pair.trim().split('=')[0].toLowerCase()
          must(!/^(?:__(?:host|secure|http)-)*portico/.test(name), 'our cookie goes to a backend')
          must(!/^x-(?:beresource|anonresource)/.test(name), 'a cookie that steers goes to a backend')
        }
        must(ours === undefined || !/[;]/.test(ours), 'a value of two cookies')
        must(ours === undefined || passed !== text, 'a cookie that is ours here and the backend’s there')
        if (set === undefined) return
        const [pair] = set.split(';')
        must(pair === text.split(';')[0], 'a cookie with another name or value')
        must(!/^[\s=]*(?:__(?:host|secure|http)-)*portico/i.test(pair), 'a cookie in place of ours')
      },
    },
    {
      name: 'http-seal',
      words: [sealed.slice(0, 14), sealed.slice(14, 40), sealed.slice(40), 'A', '_', '-', '=', '+', '/', ' ', '\xff'],
      examples: [sealed, `${sealed}=`, sealed.slice(0, -1)],
      async run(bytes) {
        const text = bytes.toString('latin1')
        const elsewhere = { ...PLACE, host: 'other.example.com' }
        const later = { ...PLACE, at: PLACE.at + 2 * TIMEOUTS.private }
        const opened = await Promise.all([PLACE, elsewhere, later].map((place) => open(ring, TIMEOUTS, text, place)))
        return { text, opened }
      },
      check({ text, opened: [here, elsewhere, later] }) {
        must(elsewhere.kind !== 'open', 'it opens in another place')
        must(later.kind !== 'open', 'it opens for ever')
        if (here.kind !== 'open') return
        must(Buffer.from(text, 'base64url').equals(Buffer.from(sealed, 'base64url')), 'somebody else has sealed it')
        must(JSON.stringify(here.ticket) === JSON.stringify(TICKET), 'another ticket')
      },
    },
    {
      name: 'http-page-token',
      words: [...token.split('.'), '.', '0', '1', 'A', '_', '=', '\0', '\xff', '-'],
      examples: [token, `${token}.`, `.${token}`],
      run: async (bytes) => {
        const text = bytes.toString('latin1')
        return { text, good: await isPageToken(ring, text, 'a cookie', PLACE) }
      },
      check: ({ text, good }) => must(good === (text === token), 'a token that we did not give, or one that we did'),
    },
    {
      name: 'http-destination',
      words: [
        ...[
          '/',
          '//',
          '\\',
          '%2F',
          '%5c',
          '.',
          '..',
          '%2e',
          '?',
          '#',
          '@',
          ':',
          'evil.example',
          'http://',
          'javascript:',
        ],
        ...['%0a', '%0d', '\t', '\n', '\0', ' ', '/owa/', '%25', ';', '\xe4', '[::1]'],
      ],
      examples: ['/owa/?a=b#c', '//evil.example/', '/\\evil.example', '/%2e%2e//evil.example', '/owa/..%2F/'],
      run: async (bytes) => safeDestination(bytes.toString('latin1')),
      check(destination) {
        if (destination === undefined) return
        const url = new URL(destination, 'https://mail.example.com/owa/')
        must(url.origin === 'https://mail.example.com' && url.username === '', 'it leads to somebody else')
        const [path] = destination.split(/[?#]/)
        must(decodeURI(url.pathname) === decodeURI(path), 'a browser reads another path')
        must(safeDestination(destination) === destination, 'it is not in its normal form')
      },
    },
  ]
}

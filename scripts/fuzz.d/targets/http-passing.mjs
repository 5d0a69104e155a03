// SPDX-License-Identifier: MIT
// What passes through: what we make of a request for a backend, and of its answer for a client, is read again, strictly.
import { must } from '../engine.mjs'
import { FakeLeg } from '../fake-leg.mjs'

const LIMITS = { head: 4_096, target: 512, fields: 40 }
const SIZE = { head: 65_536, target: 8_192, fields: 200 }
const NAMES = [
  'Connection',
  'Cookie',
  'Host',
  'X-Remote-User',
  'X-Forwarded-For',
  'Forwarded',
  'Authorization',
  'Expect',
]
const MORE = [
  'Keep-Alive',
  'Content-Length',
  'Transfer-Encoding',
  'Upgrade',
  'TE',
  'X-Site-User',
  'Location',
  'Set-Cookie',
  'X-FEServer',
]
const VALUES = [
  'close',
  'upgrade',
  'X-Site-User',
  'cookie',
  'a=b',
  'portico=x',
  ';',
  ',',
  '100-continue',
  'websocket',
  '5',
  'chunked',
]
const PLACES = ['/', '/SOGo', '//', 'http://', 'web1.internal', ':8080', '?', '#', 'Path=', 'Domain=', '.example.com']
const WORDS = [...NAMES, ...MORE]
  .map((name) => `${name}: `)
  .concat(VALUES, PLACES, '\r\n', ' ', '\t', 'A: b\r\n', '\xff', '"', '\\')

export async function httpPassingTargets(load) {
  const { findHeadEnd, parseRequestHead, parseResponseHead } = await load('protocols/http', 'codec/head')
  const { Field } = await load('protocols/http', 'codec/fields')
  const { requestFraming, responseFraming } = await load('protocols/http', 'codec/framing')
  const { decoderFor } = await load('protocols/http', 'codec/body')
  const { readForwarded, formatForwarded } = await load('protocols/http', 'codec/forwarded')
  const { readIncoming } = await load('protocols/http', 'client/incoming')
  const { ClientReader } = await load('protocols/http', 'client/client-reader')
  const { H1Exchange } = await load('protocols/http', 'client/h1-exchange')
  const { connectionOptions, formatRequest, formatResponse } = await load('protocols/http', 'backend/headers')
  const { upgradesOf } = await load('protocols/http', 'backend/upgrade')
  const { directorySchema } = await load('protocols/http', 'directory/schema')
  const { exchange } = await load('protocols/http', 'backend/exchange')

  const names = ({ fields }) => Array.from({ length: fields.count }, (_, n) => fields.name(n).toLowerCase())
  const count = (head, name) => names(head).filter((each) => each === name).length
  const view = {
    directory: directorySchema.parse({ mount: '/owa', backendPath: '/SOGo' }),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
    backendScheme: 'http',
  }

  return [
    {
      name: 'http-to-backend',
      words: WORDS,
      examples: [
        'Host: x\r\nConnection: X-Site-User, close\r\nX-Site-User: root\r\nCookie: a=b; portico=c\r\n',
        'Host: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX-Remote-User: root\r\nForwarded: for=10.0.0.1\r\n',
      ],
      async run(bytes) {
        const head = parseRequestHead(headOf('GET /a HTTP/1.1', bytes), LIMITS)
        if (head.kind === 'bad') return head.why
        const request = readIncoming(head)
        if ('kind' in request) return request.why
        const text = formatRequest({
          version: '1.1',
          method: head.method,
          target: request.path,
          host: request.authority,
          fields: head.fields,
          options: request.options,
          body: request.body,
          expectsContinue: request.expectsContinue,
          upgrades: upgradesOf(request, ['websocket']),
          identity: { name: 'X-Site-User', value: 'alice' },
          reserved: ['x-site-user'],
          named: '',
          told: '',
          forwarded: { clients: ['192.0.2.1'], proto: 'https', host: request.authority },
          isProxy: false,
        })
        return { text, body: request.body }
      },
      check(result) {
        if (typeof result === 'string') return
        const head = parseRequestHead(Buffer.from(result.text, 'latin1'), SIZE)
        must(head.kind === 'request', 'what we send is refused by ourselves')
        const framing = requestFraming(head)
        must(JSON.stringify(framing) === JSON.stringify(result.body), 'its body would end somewhere else')
        for (const name of ['host', 'x-site-user', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'via'])
          must(name === 'via' || count(head, name) === 1, `${name} is there more than once, or not`)
        must(
          names(head).every((name) => /^[a-z0-9-]+$/.test(name)),
          'a name that gateways fold',
        )
        must(
          !head.fields.ids.some((id) => [Field.steering, Field.hop, Field.keepAlive, Field.authorization].includes(id)),
          'it steers',
        )
        must(
          !/(?:^|;)\s*(?:__(?:host|secure|http)-)*portico/i.test(head.fields.first(Field.cookie) ?? ''),
          'our cookie goes to a backend',
        )
        const alice = names(head).indexOf('x-site-user')
        must(head.fields.value(alice) === 'alice', 'a client says who it is')
        const upgrade = head.fields.all(Field.upgrade)
        must(upgrade === undefined || upgrade === 'websocket', 'a protocol that is not allowed')
        must(head.fields.all(Field.connection) === (upgrade && 'Upgrade'), 'the client’s connection is not ours')
      },
    },
    {
      name: 'http-to-client',
      words: WORDS,
      examples: [
        'Connection: X-Once\r\nX-Once: 1\r\nSet-Cookie: __Host-portico=x\r\nX-FEServer: EX1\r\nLocation: /a\r\n',
        'Content-Length: 5\r\nUpgrade: h2c\r\nSet-Cookie: a=b\r\n',
      ],
      async run(bytes) {
        const head = parseResponseHead(headOf('HTTP/1.1 200 OK', bytes), LIMITS)
        if (head.kind === 'bad') return head.why
        const options = connectionOptions(head.fields)
        return { text: formatResponse({ head, options, own: 'Content-Length: 0\r\n', view }) }
      },
      check(result) {
        if (typeof result === 'string') return
        const head = parseResponseHead(Buffer.from(result.text, 'latin1'), SIZE)
        must(head.kind === 'response', 'what we send is refused by ourselves')
        must(JSON.stringify(responseFraming(head, 'GET')) === '{"kind":"length","length":0}', 'it ends somewhere else')
        const { ids } = head.fields
        must(
          !ids.some((id) => [Field.steering, Field.hop, Field.keepAlive, Field.upgrade, Field.connection].includes(id)),
          'it steers',
        )
        for (let n = 0; n < ids.length; n++)
          must(
            ids[n] !== Field.setCookie || !/^[\s=]*(__(host|secure|http)-)*portico/i.test(head.fields.value(n)),
            'a cookie in place of ours',
          )
      },
    },
    {
      name: 'http-exchange',
      streams: true,
      words: ['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 101 X\r\n', 'HTTP/1.0 200\r\n'].concat(
        [
          'Content-Length: 5\r\n',
          'Transfer-Encoding: chunked\r\n',
          'Connection: close\r\n',
          '\r\n',
          'hello',
          '0\r\n\r\n',
        ],
        ['5\r\nhello\r\n', 'A: b\r\n', '\n', '\0', 'HTTP/1.1 204 No\r\n\r\n'],
      ),
      examples: [
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n',
        'HTTP/1.1 200 OK\r\n\r\nhello',
      ],
      async run(_bytes, pieces) {
        const leg = new FakeLeg([])
        const reader = new ClientReader(
          leg,
          LIMITS,
          { keepAlive: 1, headerTimeout: 1 },
          () => {},
          () => Infinity,
        )
        const client = new H1Exchange(reader, { discardBody: 0, wallNow: () => 0 })
        client.begin(readIncoming(parseRequestHead(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), LIMITS)))
        const end = await exchange({
          client,
          backend: new FakeLeg(pieces),
          head: '',
          method: 'GET',
          body: { kind: 'none' },
          upgrades: [],
          maxBody: 0,
          persist: () => true,
          view,
          fields: '',
          keep401: false,
          limits: LIMITS,
          responseTimeout: 0,
          bodyTimeout: 0,
          pace: undefined,
          halfClosed: 0,
        })
        return { end: end.kind, ...written(leg.written) }
      },
      check(result) {
        if (result.end === 'answered')
          must(result.whole, `an answer that the client cannot read: ${JSON.stringify(result)}`)
        if (result.end === 'unanswered') must(result.status === undefined, 'an answer of which the client has a part')
        if (result.end === 'broken') must(!result.whole, 'the client takes a part for the whole')
      },
    },
    {
      name: 'http-forwarded',
      words: [
        'for=',
        '"',
        '192.0.2.1',
        '[2001:db8::1]',
        ':80',
        ';',
        ',',
        ' ',
        'proto=https',
        'unknown',
        '_x',
        '\\',
        '\t',
        '=',
      ],
      examples: ['for=192.0.2.43, for="[2001:db8:cafe::17]:4711";proto=http;by=203.0.113.43', 'for=_gazonk'],
      run: async (bytes) => readForwarded(bytes.toString('latin1')),
      check(clients) {
        if (clients === undefined) return
        must(
          clients.every((client) => /^[0-9a-fA-F.:]+$|^unknown$/.test(client)),
          'a client that is no address',
        )
        const again = readForwarded(formatForwarded(clients, 'https', 'x.example:80'))
        must(JSON.stringify(again) === JSON.stringify(clients), 'it is not read back')
      },
    },
  ]

  /** A head with these octets for its fields. */
  function headOf(line, bytes) {
    const text = Buffer.concat([Buffer.from(`${line}\r\n`), bytes, Buffer.from('\r\n\r\n')])
    return text.subarray(0, findHeadEnd(text, 0))
  }

  /** What a client makes of what it got: the final answer, and whether it is whole. Chunks may be cut in any way. */
  function written(text) {
    const bytes = Buffer.from(text, 'latin1')
    let interim = 0
    for (let at = 0; at < bytes.length; interim++) {
      const end = bytes.indexOf('\r\n\r\n', at) + 4
      must(end > 3, 'half a head')
      const head = parseResponseHead(bytes.subarray(at, end), SIZE)
      must(head.kind === 'response', 'a head that nobody can read')
      at = end
      if (head.status < 200) continue
      const framing = responseFraming(head, 'GET')
      must(framing.kind !== 'bad', 'a body of which nobody knows the end')
      const decoder = decoderFor(framing)
      const rest = bytes.subarray(at)
      const taken = decoder.done ? 0 : decoder.push(rest)
      must(taken === rest.length && decoder.fault === undefined, 'octets that do not belong to the answer')
      let content = ''
      for (let n = 0; n < decoder.spans.length; n += 2)
        content += rest.toString('latin1', decoder.spans[n], decoder.spans[n + 1])
      const whole = decoder.done
      return { interim, status: head.status, content: framing.kind === 'none' ? '' : content, whole }
    }
    return { interim, whole: false }
  }
}

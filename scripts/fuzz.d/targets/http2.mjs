// SPDX-License-Identifier: MIT
// The field section of a request in HTTP/2: what becomes of it is a request that HTTP/1.1 could have brought, with the same fields.
import { must } from '../engine.mjs'

const LIMITS = { head: 8_192, target: 512, fields: 60 }
/** Stands between names and values: no octet that is of interest in one. */
const BETWEEN = '\x1e'
const section = (...fields) => fields.join(BETWEEN)
const PSEUDO = [':method', 'GET', ':scheme', 'https', ':authority', 'mail.example.com', ':path', '/owa/']

export async function http2Targets(load) {
  const { readRequestHead } = await load('protocols/http', 'http2/request-head')
  const { requestFraming } = await load('protocols/http', 'codec/framing')
  const { readIncoming } = await load('protocols/http', 'client/incoming')

  return [
    {
      name: 'http2-fields',
      words: [
        ...PSEUDO.map((part) => part + BETWEEN),
        ...[section(...PSEUDO, ''), BETWEEN, BETWEEN + BETWEEN, 'POST', 'CONNECT', 'OPTIONS', '*', 'http', ':status'],
        ...['cookie', 'host', 'content-length', 'transfer-encoding', 'connection', 'te', 'trailers', 'upgrade', 'x-a'],
        ...[
          'X-Remote-User',
          'authorization',
          'expect',
          '100-continue',
          'chunked',
          '0',
          '5',
          ' ',
          '\t',
          ':',
          '\r\n',
          '\0',
        ],
        ...['\xff', '//', '/a b', 'mail.example.com:443', '@', 'http://x/', '?', '#'],
      ],
      examples: [
        section(...PSEUDO, 'cookie', 'a=b', 'x-a', '1', 'cookie', 'c=d'),
        section(...PSEUDO, 'host', 'MAIL.example.com', 'content-length', '5'),
        section(':method', 'POST', ...PSEUDO.slice(2), 'te', 'trailers', 'x-a', 'b\r\nx-remote-user: root'),
        section(...PSEUDO, 'transfer-encoding', 'chunked'),
      ],
      async run(bytes) {
        const raw = bytes.toString('latin1').split(BETWEEN)
        return [true, false].map((ended) => ({ raw, ended, head: readRequestHead(raw, ended, LIMITS) }))
      },
      check(results) {
        for (const { raw, ended, head } of results) {
          if (head.kind === 'bad') {
            must(head.status >= 400 && /^[a-z-]+$/.test(head.why), 'a refusal without a reason')
            continue
          }
          const seen = Array.from({ length: head.fields.count }, (_, n) => [
            head.fields.name(n).toLowerCase(),
            head.fields.value(n),
          ])
          must(sameFields(seen, expected(raw, ended)), `other fields than came: ${JSON.stringify(seen)}`)
          must(head.method === fieldIn(raw, ':method'), 'another method')
          must(head.minor === 1, 'another version')
          const framing = requestFraming(head)
          const content = framing.kind !== 'none' && !(framing.kind === 'length' && framing.length === 0)
          must(framing.kind === 'bad' || !ended || !content, 'content behind the end')
          const incoming = readIncoming(head)
          must('kind' in incoming || incoming.path === '*' || incoming.path.startsWith('/'), 'a path that is none')
        }
      },
    },
  ]
}

function fieldIn(raw, name) {
  return raw[raw.findIndex((part, n) => n % 2 === 0 && part === name) + 1]
}

/** The same fields, those that are folded or trimmed as RFC 9110 section 5.5 has it. */
function sameFields(seen, fields) {
  const text = (list) => JSON.stringify(list.map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, '')]))
  return text(seen) === text(fields)
}

/** What a request in HTTP/1.1 has to have: Host first, the others in their order, one Cookie, and how its content ends. */
function expected(raw, ended) {
  const pairs = Array.from({ length: Math.ceil(raw.length / 2) }, (_, n) => [raw[2 * n], raw[2 * n + 1] ?? ''])
  const named = (name) => pairs.filter(([each]) => each === name).map(([, value]) => value)
  const [authority] = [...named(':authority'), ...named('host')]
  const others = pairs.filter(([name]) => !name.startsWith(':') && name !== 'host' && name !== 'cookie')
  const cookies = named('cookie')
  return [
    ...(authority === undefined ? [] : [['host', authority]]),
    ...others,
    ...(cookies.join('') === '' ? [] : [['cookie', cookies.join('; ')]]),
    ...(ended || named('content-length').length > 0 ? [] : [['transfer-encoding', 'chunked']]),
  ]
}

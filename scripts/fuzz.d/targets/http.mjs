// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'
import { FakeLeg } from '../fake-leg.mjs'

const LIMITS = { head: 4_096, target: 512, fields: 20 }
const HEAD_WORDS = [
  'GET ',
  'POST ',
  '/',
  ' HTTP/1.1\r\n',
  ' HTTP/1.0\r\n',
  'Host: x\r\n',
  'Content-Length: ',
  '5',
  '0',
  'Transfer-Encoding: chunked\r\n',
].concat([
  '\r\n',
  '\n',
  '\r',
  ':',
  ' ',
  '\t',
  'Connection: close\r\n',
  'Expect: 100-continue\r\n',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  ';x=y',
  'A: ',
  '\0',
  '\xff',
  ',',
])

export async function httpTargets(load) {
  const { ClientReader } = await load('protocols/http', 'client/client-reader')
  const { HeadCollector } = await load('protocols/http', 'codec/head-collector')
  const { checkPartialResponse, parseResponseHead } = await load('protocols/http', 'codec/head')
  const { requestFraming, responseFraming } = await load('protocols/http', 'codec/framing')
  const { decoderFor } = await load('protocols/http', 'codec/body')
  const { readTarget, normalisePath } = await load('protocols/http', 'directory/target')
  const { beginsHandshake, readBasic, readHandshake, readToken } = await load('protocols/http', 'sign-in/credentials')
  const { schemeOf } = await load('protocols/http', 'sign-in/schemes')
  const { readIncoming } = await load('protocols/http', 'client/incoming')

  const fieldsOf = ({ fields }) =>
    Array.from({ length: fields.count }, (_, n) => [fields.name(n), fields.value(n), fields.ids[n]])

  return [
    {
      name: 'http-request',
      streams: true,
      words: HEAD_WORDS,
      examples: [
        'GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
        'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n',
      ],
      async run(_bytes, pieces) {
        const reader = new ClientReader(
          new FakeLeg(pieces),
          LIMITS,
          { keepAlive: 1, headerTimeout: 1 },
          () => {},
          () => Number.POSITIVE_INFINITY,
        )
        reader.leg.setReader(reader)
        const seen = []
        while (seen.length < 100) {
          const head = await reader.readHead()
          if (head.kind === 'ended') return [...seen, ['ended', head.silent]]
          // Which of several faults is named first may depend on how much has come.
          if (head.kind === 'bad') return [...seen, 'bad']
          const framing = requestFraming(head)
          seen.push([head.method, head.target, head.minor, fieldsOf(head), framing, readIncoming(head).status])
          if (framing.kind === 'bad') return seen
          const body = await contentOf(reader, decoderFor(framing))
          seen.push(body)
          if (!body.done) return seen
        }
        return seen
      },
    },
    {
      name: 'http-response',
      streams: true,
      words: [...HEAD_WORDS, 'HTTP/1.1 200 OK\r\n', 'HTTP/1.0 304 \r\n', 'HTTP/1.1 100\r\n', 'Location: /x\r\n'],
      examples: [
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        'HTTP/1.0 404\r\n\r\nx',
      ],
      async run(_bytes, pieces) {
        const collector = new HeadCollector(LIMITS.head)
        let head
        let decoder
        let content = ''
        for (const piece of pieces) {
          let rest = piece
          if (head === undefined) {
            const end = collector.push(piece)
            if (end < 0) {
              if (checkPartialResponse(collector.partial, collector.takeChecked(), LIMITS) !== undefined) return 'bad'
              continue
            }
            head = parseResponseHead(Buffer.from(collector.head), LIMITS)
            if (head.kind === 'bad') return 'bad'
            const framing = responseFraming(head, 'GET')
            if (framing.kind === 'bad') return framing
            decoder = decoderFor(framing)
            rest = piece.subarray(end)
          }
          if (decoder.done || decoder.fault !== undefined) break
          decoder.push(rest)
          for (let n = 0; n < decoder.spans.length; n += 2)
            content += rest.toString('latin1', decoder.spans[n], decoder.spans[n + 1])
        }
        if (head === undefined) return 'incomplete'
        return {
          status: head.status,
          reason: head.reason,
          fields: fieldsOf(head),
          content,
          done: decoder.done,
          fault: decoder.fault,
        }
      },
    },
    {
      name: 'http-chunks',
      streams: true,
      words: [
        '0',
        '5',
        'a',
        'F',
        '\r\n',
        '\n',
        '\r',
        ';',
        'hello',
        '0\r\n\r\n',
        'T: x\r\n',
        ' ',
        'fffffffffffff',
        '\0',
        '"',
      ],
      examples: ['5\r\nhello\r\n0\r\n\r\n', 'A;x="y"\r\n0123456789\r\n0\r\nT: x\r\n\r\nGET'],
      async run(_bytes, pieces) {
        const decoder = decoderFor({ kind: 'chunked' })
        let [content, taken] = ['', 0]
        for (const piece of pieces) {
          if (decoder.done || decoder.fault !== undefined) break
          taken += decoder.push(piece)
          for (let n = 0; n < decoder.spans.length; n += 2)
            content += piece.toString('latin1', decoder.spans[n], decoder.spans[n + 1])
        }
        return { content, taken, done: decoder.done, fault: decoder.fault }
      },
    },
    {
      name: 'http-uri',
      words: [
        '/',
        '.',
        '..',
        '%2e',
        '%2F',
        '%25',
        '%',
        '%5c',
        ';',
        'a',
        '?',
        '#',
        'http://',
        'x.example',
        ':80',
        '@',
        '[::1]',
        '*',
        '%c0%ae',
        '~',
        '\\',
        ' ',
      ],
      examples: ['/a/b;c/%7euser?x=%2e', 'http://x.example:80/a', '//x', '/a/%2e%2e/b', '*'],
      run: async (bytes) => readTarget(bytes.toString('latin1')),
      check(target) {
        if (target.kind !== 'path') return
        must(normalisePath(target.path) === target.path, `${target.path} is not in its normal form`)
        must(!/[\x00-\x20\x7f-\xff#]/.test(target.path + target.query) || target.query !== '', 'a stranger in a path')
        const [read] = decodeURIComponentSafely(target.path).split(/[?#]/)
        const segments = read.split(/[/\\]/).map((segment) => segment.split(/[;:]/)[0].trimEnd())
        must(!segments.some((segment) => segment === '.' || segment === '..'), 'a dot segment passed')
      },
    },
    {
      name: 'http-authorization',
      words: ['Basic ', 'basic', ' ', 'YTpi', '=', 'Bearer x', ':', 'YWxpY2U6c2VjcmV0', '\t', ',', '\xff'],
      examples: ['Basic YWxpY2U6c2VjcmV0', 'Negotiate abc', 'Basic '],
      run: async (bytes) => {
        const value = bytes.toString('latin1')
        const octets = readHandshake(value)
        return {
          scheme: schemeOf(value),
          basic: readBasic(value),
          token: readToken(value),
          begins: octets !== undefined && beginsHandshake(octets),
        }
      },
      check({ basic, token }) {
        if (basic !== undefined) must(!/[\0-\x1f\x7f:]/.test(basic.user), 'a name that is none')
        if (token !== undefined) must(/^[!-~]+$/.test(token), 'a token that is none')
      },
    },
  ]
}

function decodeURIComponentSafely(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A body's content; not `done` when it broke or the client went away. */
function contentOf(reader, decoder) {
  return new Promise((resolve) => {
    let content = ''
    const finish = () => {
      reader.detach()
      resolve({ content, done: decoder.done, fault: decoder.fault })
    }
    if (decoder.done) return finish()
    reader.attach({
      get wantsBody() {
        return !decoder.done && decoder.fault === undefined
      },
      takeBody(view) {
        const taken = decoder.push(view)
        for (let n = 0; n < decoder.spans.length; n += 2)
          content += view.toString('latin1', decoder.spans[n], decoder.spans[n + 1])
        if (decoder.done || decoder.fault !== undefined) finish()
        return taken
      },
      clientDrained() {},
      clientFinished: finish,
      clientGone: finish,
    })
  })
}

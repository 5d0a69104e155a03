// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'
import { sessionOf } from './stage.mjs'

const RULES = { domains: ['example.com'], hosts: ['192.0.2.40'], mailboxFrom: ['diversion', 'history-info'] }
const PEER = { address: '192.0.2.7', port: 40_000, family: 4 }
const SENDER = { trusted: true, admitted: true }
const WORDS = [
  'INVITE ',
  'OPTIONS ',
  'ACK ',
  'sip:kim@example.com',
  'sips:',
  'tel:+49-30-1',
  ' SIP/2.0',
  'SIP/2.0 200 OK',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  ' ',
  'Via: ',
  'v:SIP/2.0/UDP gw',
  ';branch=z9hG4bK1',
  ';rport',
  ';received=192.0.2.1',
  ';maddr=224.0.0.1',
  'From: ',
  'To: ',
  'Call-ID: c1\r\n',
  'CSeq: 1 INVITE\r\n',
  'Max-Forwards: 0\r\n',
  'Content-Length: ',
  '0\r\n',
  '65537',
  'Require: ',
  'Diversion: ',
  'History-Info: ',
  ';index=1;mp=1',
  ';tag=1',
  '"',
  '\\',
  '<',
  '>',
  ',',
  ';',
  ':',
  '@',
  '%41',
  '%00',
  '[2001:db8::1]',
  '\0',
  '\xff',
]
const GOOD =
  'INVITE sip:kim@example.com;transport=tcp SIP/2.0\r\nVia: SIP/2.0/UDP gw.example.net:5060;branch=z9hG4bK1;rport\r\n' +
  'v: SIP/2.0/TCP a, SIP / 2.0 / TLS b : 5061 ;x="y, z"\r\nFrom: "K, \\"L\\"" <sip:gw@example.net>;tag=1\r\n' +
  'To: <sip:kim@example.com>\r\nCall-ID: c1@gw\r\nCSeq: 1\r\n INVITE\r\nMax-Forwards: 70\r\nContent-Length: 4\r\n\r\nbody'
const DIVERTED = GOOD.replace(
  'Max-Forwards',
  'Diversion: <sip:lee@example.com>;reason=x\r\nHistory-Info: <tel:+1>;index=1, <sip:voice@example.com>;index=1.1;mp=1\r\nMax-Forwards',
)

/** What of a head can be said without a look-up; what is said repeats whole fields and nothing else. */
async function reader(load) {
  const { parseHead } = await load('protocols/sip', 'parse')
  const { requestOf } = await load('protocols/sip', 'request')
  const { decide } = await load('protocols/sip', 'decide')
  const { formatResponse } = await load('protocols/sip', 'response')
  return (text) => {
    const head = parseHead(text)
    if (head.kind !== 'request') return { head }
    const request = requestOf(head)
    const verdict = decide(request, RULES, SENDER, true)
    if (request.via === undefined) return { request, verdict }
    const status = { code: 200, phrase: 'OK' }
    return { request, verdict, response: formatResponse(request, status, [], { peer: PEER, key: Buffer.alloc(32) }) }
  }
}

function checkResponse(response, length) {
  const lines = response.split('\r\n')
  must(lines.pop() === '' && lines.pop() === '', 'a response without its end')
  must(
    lines.every((line) => /^(?:SIP\/2\.0 200 OK|(?:Via|From|To|Call-ID|CSeq|Content-Length): [^\r\n\0]*)$/.test(line)),
    'a line that is no field of a response',
  )
  must(response.length < length + 300, 'a response that is much longer than its request')
}

/** Telephone calls. */
export async function sipTargets(load) {
  const read = await reader(load)
  const { parseDatagram } = await load('protocols/sip', 'parse-datagram')
  const { readMessage } = await load('protocols/sip', 'read-message')
  const { ClientDialogue } = await load('packages/session', 'client-dialogue')
  return [
    {
      name: 'sip-datagram',
      words: WORDS,
      examples: [GOOD, DIVERTED, 'OPTIONS sip:192.0.2.40 SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n'],
      async run(bytes) {
        const message = parseDatagram(bytes)
        return message === undefined ? undefined : { message, ...read(message.head) }
      },
      check(result, bytes) {
        if (result?.response !== undefined) checkResponse(result.response, bytes.length)
      },
    },
    {
      name: 'sip-stream',
      streams: true,
      words: WORDS,
      examples: [`\r\n\r\n${GOOD}${DIVERTED}`, `${GOOD}\r\n\r\n`],
      async run(_bytes, pieces) {
        const { session } = await sessionOf(load, pieces)
        const dialogue = new ClientDialogue(session)
        const seen = []
        for (let first = true; seen.length < 50; first = false) {
          const message = await readMessage(dialogue, 16_384, first)
          seen.push(message.kind === 'head' ? read(message.head) : message)
          if (message.kind !== 'head' && message.kind !== 'ping') break
        }
        return seen
      },
    },
  ]
}

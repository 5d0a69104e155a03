// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../src/decide.js'
import { parseHead } from '../src/parse.js'
import { escapeUser, parseUri } from '../src/parse-uri.js'
import { OK } from '../src/replies.js'
import { requestOf } from '../src/request.js'
import { formatResponse } from '../src/response.js'
import { message, PEER, RULES } from './messages.js'

const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const FIELD = /^(?:Via|From|To|Call-ID|CSeq): [^\x00-\x08\x0a-\x1f\x7f]*$/

/** A good request in which something was put, so that most of it is read. */
const spoilt = fc
  .tuple(fc.constantFrom('INVITE', 'OPTIONS', 'BYE'), octets, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40))
  .map(([method, put, place, out]) => {
    const whole = message(method, 'sip:kim@example.com')
    const at = Math.floor(place * whole.length)
    return whole.slice(0, at) + put + whole.slice(at + out)
  })

test('whatever comes is read, and a response repeats whole fields and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(octets, spoilt), (text) => {
      const head = parseHead(text)
      if (head.kind !== 'request') return
      const request = requestOf(head)
      decide(request, RULES, PEER, true)
      const { via } = request
      if (via === undefined) return
      const peer = { address: '192.0.2.7', port: 5060, family: 4 } as const
      const response = formatResponse({ ...request, via }, OK, [], { peer, key: Buffer.alloc(32) })
      const [start, ...lines] = response.split('\r\n')
      expect(start).toBe('SIP/2.0 200 OK')
      expect(lines.slice(-3)).toEqual(['Content-Length: 0', '', ''])
      expect(lines.slice(0, -3).filter((line) => !FIELD.test(line))).toEqual([])
      expect(response.length).toBeLessThan(text.length + 300)
    }),
    { numRuns: 2_000 },
  )
})

test('a user that is written is the same when it is read', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (user) => {
      const uri = parseUri(`sip:${escapeUser(user)}@example.com`)
      expect(uri?.kind === 'sip' ? uri.user : undefined).toBe(user)
    }),
  )
})

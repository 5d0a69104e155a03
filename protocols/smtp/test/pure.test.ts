// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AUTH_FAILURES, formatReply, RECIPIENT_FAILURES, REPLIES, say } from '../src/replies.js'

describe('replies (RFC 5321 section 4.2, RFC 2034)', () => {
  test('several lines carry the code and the enhanced code each', () => {
    expect(formatReply({ code: 550, enhanced: '5.1.1', lines: ['one', 'two'] })).toBe(
      '550-5.1.1 one\r\n550 5.1.1 two\r\n',
    )
  })

  test('no text breaks out of its line', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const octets = formatReply(say(250, '2.0.0', text))
        expect(octets.slice(0, -2)).not.toMatch(/[\r\n]/)
        expect(octets.endsWith('\r\n')).toBe(true)
      }),
    )
  })

  test('every fixed reply but those to EHLO and 3xx has an enhanced code of its class', () => {
    for (const reply of [
      ...Object.values(REPLIES),
      ...Object.values(AUTH_FAILURES),
      ...Object.values(RECIPIENT_FAILURES),
    ]) {
      if (reply.code === 354) continue
      expect('enhanced' in reply && reply.enhanced?.charAt(0)).toBe(String(reply.code).charAt(0))
    }
  })

  test('trouble of ours is never told as a wrong password, and never as a permanent failure', () => {
    for (const reason of ['throttled', 'lookup-unavailable', 'backend-unavailable', 'server-bug'] as const) {
      expect(AUTH_FAILURES[reason].code).toBe(454)
      expect(RECIPIENT_FAILURES[reason].code).toBe(451)
    }
  })
})

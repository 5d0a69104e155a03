// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatId } from '../src/commands/id.js'
import { FAILURES, failureLine, goodbye, TOO_BUSY } from '../src/replies.js'

const reasons = Object.keys(FAILURES) as FailureReason[]

describe('the reply to a failure (RFC 5530 section 3)', () => {
  test.each([
    ['invalid-credentials', 'a NO [AUTHENTICATIONFAILED] '],
    ['unauthorized-identity', 'a NO [AUTHORIZATIONFAILED] '],
    ['password-expired', 'a NO [EXPIRED] '],
    ['account-disabled', 'a NO [CONTACTADMIN] '],
    ['protocol-disabled', 'a NO [CONTACTADMIN] '],
    ['network-refused', 'a NO [CONTACTADMIN] '],
    ['no-mailbox', 'a NO [CONTACTADMIN] '],
    ['encryption-required', 'a NO [PRIVACYREQUIRED] '],
    ['not-authenticated', 'a BAD '],
    ['mechanism-unavailable', 'a NO '],
    ['malformed', 'a BAD '],
    ['aborted', 'a BAD '],
    ['too-long', 'a BAD '],
    ['throttled', 'a NO [LIMIT] '],
    ['lookup-unavailable', 'a NO [UNAVAILABLE] '],
    ['backend-unavailable', 'a NO [UNAVAILABLE] '],
    ['draining', '* BYE [UNAVAILABLE] '],
    ['server-bug', 'a NO [SERVERBUG] '],
  ] as const)('%s', (reason, start) => {
    expect(failureLine('a', reason).startsWith(start)).toBe(true)
  })

  test('is the table of every reason', () => {
    expect(reasons).toHaveLength(18)
  })

  test('only a code that we know is passed on', () => {
    expect(failureLine('a', 'backend-unavailable', 'INUSE')).toMatch(/^a NO \[INUSE\] /)
    expect(failureLine('a', 'backend-unavailable', 'HOST mbx1')).toMatch(/^a NO \[UNAVAILABLE\] /)
  })

  test('is one line, without a bare CR or LF', () => {
    const lines = [...reasons.map((reason) => failureLine('a', reason)), TOO_BUSY, goodbye('deadline')]
    for (const line of lines) expect(line).toMatch(/^[^\r\n]+\r\n$/)
  })
})

test('no ID argument holds a bare CR or LF, whatever its values (RFC 2971 section 4)', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (pairs) => {
      expect(formatId(new Map(Object.entries(pairs)))).toMatch(/^[\x20-\x7e]+$/)
    }),
  )
})

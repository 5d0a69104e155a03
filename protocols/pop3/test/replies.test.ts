// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { describe, expect, test } from 'vitest'
import { FAILURES, failureLine, goodbye, TOO_BUSY } from '../src/replies.js'

const reasons = Object.keys(FAILURES) as FailureReason[]

describe('the reply to a failure (RFC 2449 section 8, RFC 3206 section 4)', () => {
  test.each([
    ['invalid-credentials', '-ERR [AUTH] '],
    ['unauthorized-identity', '-ERR [AUTH] '],
    ['password-expired', '-ERR [AUTH] '],
    ['account-disabled', '-ERR [AUTH] '],
    ['protocol-disabled', '-ERR [AUTH] '],
    ['network-refused', '-ERR [AUTH] '],
    ['encryption-required', '-ERR [AUTH] '],
    ['no-mailbox', '-ERR [SYS/PERM] '],
    ['not-authenticated', '-ERR Sign'],
    ['mechanism-unavailable', '-ERR That'],
    ['malformed', '-ERR Syntax'],
    ['aborted', '-ERR Auth'],
    ['too-long', '-ERR Too long'],
    ['throttled', '-ERR [SYS/TEMP] '],
    ['lookup-unavailable', '-ERR [SYS/TEMP] '],
    ['backend-unavailable', '-ERR [SYS/TEMP] '],
    ['draining', '-ERR [SYS/TEMP] '],
    ['server-bug', '-ERR [SYS/TEMP] '],
  ] as const)('%s', (reason, start) => {
    expect(failureLine(reason).startsWith(start)).toBe(true)
  })

  test('is the table of every reason', () => {
    expect(reasons).toHaveLength(18)
  })

  test('only a code that we know is passed on', () => {
    expect(failureLine('backend-unavailable', 'IN-USE')).toMatch(/^-ERR \[IN-USE\] /)
    expect(failureLine('backend-unavailable', 'mbx1')).toMatch(/^-ERR \[SYS\/TEMP\] /)
  })

  test('is one line, without a bare CR or LF', () => {
    const lines = [...reasons.map((reason) => failureLine(reason)), TOO_BUSY, goodbye('draining')]
    for (const line of lines) expect(line).toMatch(/^[^\r\n]+\r\n$/)
  })
})

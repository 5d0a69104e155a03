// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { BAD, DONE, failedBy, type PreAuth, weightOf } from '../src/index.js'

describe('what a failure does to a session', () => {
  test.each([
    ['backend-unavailable', 'nothing'],
    ['lookup-unavailable', 'nothing'],
    ['invalid-credentials', 'failure'],
    ['malformed', 'bad-command'],
  ] as const)('%s weighs as %s', (reason, weight) => {
    expect(weightOf(reason)).toBe(weight)
  })

  test('failures end it at the limit, and nothing else does', () => {
    const context = { failures: 0, session: { services: { limits: { failures: 2 } } } } as unknown as PreAuth
    const reasons = ['invalid-credentials', 'malformed', 'backend-unavailable', 'throttled'] as const
    const ended = { kind: 'ended', ended: 'too-many-failures' }
    expect(reasons.map((reason) => failedBy(context, reason))).toEqual([DONE, BAD, DONE, ended])
  })
})

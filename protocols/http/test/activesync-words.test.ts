// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { activeSyncSchema } from '../src/activesync/schema.js'
import { inActiveSync, throttledReply } from '../src/activesync/words.js'
import { deviceReply } from '../src/elsewhere/elsewhere.js'
import { failureReply, formatReply, statusReply } from '../src/replies.js'

const CHALLENGE = 'WWW-Authenticate: Basic realm="Mail"\r\n'
const URL = 'https://password.example.com/change'

test.each([
  ['a barred account', 'account-disabled', 456, ''],
  ['an expired password', 'password-expired', 457, `X-MS-Credential-Service-Url: ${URL}\r\n`],
  ['a throttled sign-in', 'throttled', 503, 'Retry-After: 30\r\n'],
  ['a drained node', 'draining', 503, 'Retry-After: 5\r\n'],
  ['a user who may not use it', 'protocol-disabled', 403, ''],
  ['no mailbox', 'no-mailbox', 404, ''],
] as const)('%s in the words of ActiveSync ([MS-ASHTTP] section 2.2.2.1.1)', (_, reason, status, fields) => {
  const told = inActiveSync(failureReply(reason), { passwordUrl: URL })
  expect([told.status, told.fields]).toEqual([status, fields])
})

test('a wrong password, and an expired one without a place to change it, ask for the password', () => {
  const expired = inActiveSync(failureReply('password-expired', { fields: CHALLENGE }), { passwordUrl: undefined })
  expect(expired).toMatchObject({ status: 401, fields: expect.stringContaining('WWW-Authenticate: Basic') })
  expect(inActiveSync(failureReply('invalid-credentials'), { passwordUrl: URL }).status).toBe(401)
})

test.each(['http://password.example.com/', 'https://password.example.com/\r\nX: y', 'https://password.example.com/ä'])(
  '%j is no place to change a password',
  (passwordUrl) => {
    expect(activeSyncSchema.safeParse({ passwordUrl }).success).toBe(false)
  },
)

test('what is no failure stays as it is', () => {
  expect(inActiveSync(statusReply(200), { passwordUrl: URL })).toEqual(statusReply(200))
})

test('a device is sent elsewhere by 451', () => {
  const location = 'https://mail.example.org/Microsoft-Server-ActiveSync'
  const frame = { persist: true, minor: 1, head: true, wallNow: undefined } as const
  const text = formatReply(deviceReply(location), frame)
  expect(text).toMatch(/^HTTP\/1\.1 451 Redirect\r\n/)
  expect(text).toContain(`X-MS-Location: ${location}\r\n`)
})

test('a device that asks too much is told when to come again, and whether that was its doing', () => {
  expect(throttledReply('often', 1_200)).toMatchObject({
    status: 503,
    fields: 'Retry-After: 2\r\nX-MS-ASThrottle: CommandFrequency\r\n',
  })
  expect(throttledReply('busy', 0)).toMatchObject({ status: 503, fields: 'Retry-After: 1\r\n' })
})

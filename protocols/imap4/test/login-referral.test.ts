// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loginReferral } from '../src/referral.js'

describe('the referral of a refused sign-in', () => {
  test.each([
    ['imap://alice@mbx2.example/', 'mbx2.example', undefined, 'alice'],
    ['IMAP://alice;AUTH=*@MBX2.example:1143', 'mbx2.example', 1143, 'alice'],
    ['imap://al%40example.org;AUTH=PLAIN@mbx2.example/', 'mbx2.example', undefined, 'al@example.org'],
    ['imap://;AUTH=*@192.0.2.1/', '192.0.2.1', undefined, undefined],
    ['imap://mbx2.example/', 'mbx2.example', undefined, undefined],
    ['imap://alice@[2001:db8::1]:143/', '2001:db8::1', 143, 'alice'],
  ])('%s', (url, host, port, user) => {
    expect(loginReferral(`[REFERRAL ${url}] elsewhere`)).toEqual({ host, port, user })
  })

  test.each([
    'elsewhere',
    '[ALERT] [REFERRAL imap://mbx2.example/]',
    '[REFERRAL]',
    '[REFERRAL pop://mbx2.example/]',
    '[REFERRAL imap://]',
    '[REFERRAL imap://alice;AUTH=*@/]',
    '[REFERRAL imap://mbx2.example:0/]',
    '[REFERRAL imap://mbx2.example:99999/]',
    '[REFERRAL imap://alice@mbx2.example/INBOX]',
    '[REFERRAL imap://a%ff@mbx2.example/]',
    '[REFERRAL imap://alice@mbx2.example@evil.example/]',
  ])('%s names no server', (text) => {
    expect(loginReferral(text)).toBeUndefined()
  })

  test('whatever a backend says, reading it takes no time and no exception', () => {
    const piece = fc.constantFrom('[REFERRAL ', 'imap://', '@', ':', ';AUTH=', ']', '[', '/', '%', 'a', '1', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        const referral = loginReferral(`[REFERRAL imap://${pieces.join('')}`)
        if (referral !== undefined) expect(referral.host).toMatch(/^[^@/\s]+$/)
      }),
    )
    const began = process.cpuUsage()
    loginReferral(`[REFERRAL imap://${'a'.repeat(16_000)}`)
    loginReferral(`[REFERRAL imap://${'[1'.repeat(8_000)}`)
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_000)
  })
})

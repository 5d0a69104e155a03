// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { scenario } from '../lib/scenario.js'
import { PATIENCE, testsslAtSignInPage } from '../lib/testssl.js'

scenario('TLS as testssl sees it, with all that takes minutes', { programs: ['testssl', 'openssl'] }, () => {
  const testssl = testsslAtSignInPage()

  test('nothing but forward secrecy', { timeout: PATIENCE }, async () => {
    const found = await testssl('-f', '-P')
    expect(found['PFS_ciphers']).toContain('TLS_AES_256_GCM_SHA384')
    for (const cipher of (found['PFS_ciphers'] ?? '').trim().split(/\s+/))
      expect(cipher).toMatch(/^(?:TLS_|ECDHE-.*(?:GCM|POLY1305))/)
  })

  test('none of the attacks that have a name', { timeout: PATIENCE }, async () => {
    const found = await testssl('-U')
    for (const name of ['heartbleed', 'CCS', 'ticketbleed', 'ROBOT', 'CRIME_TLS', 'SWEET32', 'LUCKY13', 'RC4'])
      expect(found[name]).toMatch(/^not vulnerable/)
  })
})

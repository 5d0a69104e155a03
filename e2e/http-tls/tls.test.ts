// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { scenario } from '../lib/scenario.js'
import { PATIENCE, testsslAtSignInPage } from '../lib/testssl.js'

scenario('TLS as testssl sees it', { programs: ['testssl', 'openssl'] }, () => {
  const testssl = testsslAtSignInPage()

  test('no protocol and no cipher of old, and HTTP/2 by ALPN', { timeout: PATIENCE }, async () => {
    const found = await testssl('-p', '-s')
    for (const old of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1']) expect(found[old]).toMatch(/^not offered/)
    for (const current of ['TLS1_2', 'TLS1_3']) expect(found[current]).toMatch(/^offered/)
    expect(found['ALPN_HTTP2']).toBe('h2')
    for (const weak of ['NULL', 'aNULL', 'EXPORT', 'LOW', '3DES_IDEA', 'AVERAGE'])
      expect(found[`cipherlist_${weak}`]).toBe('not offered')
  })

  test('the defaults of the server, and its certificate', { timeout: PATIENCE }, async () => {
    const found = await testssl('-S')
    expect(found['cert_chain_of_trust']).toMatch(/^passed/)
    expect(found['cert_trust']).toMatch(/^Ok/)
  })

  test('the header fields of the sign-in page', { timeout: PATIENCE }, async () => {
    const found = await testssl('-h')
    expect(found['HTTP_status_code']).toMatch(/^200 /)
    expect(found['HSTS_time']).toMatch(/365 days/)
    expect(found['cookie_secure']).toMatch(/^All/)
    expect(found['cookie_httponly']).toMatch(/^All/)
    for (const field of ['X-Content-Type-Options', 'Content-Security-Policy', 'Referrer-Policy'])
      expect(found[field]).toBeDefined()
  })
})

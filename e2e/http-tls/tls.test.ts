// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../lib/clients.js'
import { startFakeBackend } from '../lib/fake-backends.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

/** Each run asks hundreds of times, one after the other. */
const PATIENCE = 300_000

/** What is as it is meant to be, or is not of this server, whatever testssl thinks of it. */
const KNOWN = [
  // All of the ciphers are good ones, so that clients choose what is cheapest on their machines.
  'cipher_order',
  // The certificate of the test: it lives for a month, and nobody can ask for its state.
  ...['cert_expirationStatus', 'cert_notAfter', 'cert_revocation', 'DNS_CAArecord'],
  // What the machine's own OpenSSL cannot do.
  ...['engine_problem', 'sessionresumption_ticket'],
]

scenario('TLS as testssl sees it', { programs: ['testssl', 'openssl'] }, () => {
  let backend: { readonly port: number; close(): Promise<void> }
  let portico: Portico<'https'>

  beforeAll(async () => {
    backend = await startFakeBackend('http', 'none')
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: { http: { endpoints: [`http://127.0.0.1:${backend.port}`] } } },
      more: { http: { directories: [{ preset: 'owa' }], forms: { hsts: '365d' } } },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await backend?.close()
  })

  /** What it found at the sign-in page, by its names for it; all of it has to be good or without weight. */
  async function testssl(...checks: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const file = join(privateFolder('ssl'), 'result.json')
    const target = `https://127.0.0.1:${portico.ports.https}/owa/auth/logon.aspx`
    const asked = ['--add-ca', testCertificates().ca.certificateFile, ...checks, '--jsonfile', file, target]
    const { stdout } = await run('testssl', ['--quiet', '--color', '0', '--warnings', 'batch', ...asked], {
      patience: PATIENCE,
    })
    const found = JSON.parse(readFileSync(file, 'utf8')) as Finding[]
    const bad = found.filter(
      ({ id, severity }) => !/^(?:OK|INFO)$/.test(severity) && !KNOWN.includes(id.split(' ')[0] ?? ''),
    )
    expect(bad, stdout).toEqual([])
    return Object.fromEntries(found.map(({ id, finding }) => [id, finding]))
  }

  test('no protocol and no cipher of old, and HTTP/2 by ALPN', { timeout: PATIENCE }, async () => {
    const found = await testssl('-p', '-s')
    for (const old of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1']) expect(found[old]).toMatch(/^not offered/)
    for (const current of ['TLS1_2', 'TLS1_3']) expect(found[current]).toMatch(/^offered/)
    expect(found['ALPN_HTTP2']).toBe('h2')
    for (const weak of ['NULL', 'aNULL', 'EXPORT', 'LOW', '3DES_IDEA', 'AVERAGE'])
      expect(found[`cipherlist_${weak}`]).toBe('not offered')
  })

  test('nothing but forward secrecy', { timeout: PATIENCE }, async () => {
    const found = await testssl('-f', '-P')
    expect(found['PFS_ciphers']).toContain('TLS_AES_256_GCM_SHA384')
    for (const cipher of (found['PFS_ciphers'] ?? '').trim().split(/\s+/))
      expect(cipher).toMatch(/^(?:TLS_|ECDHE-.*(?:GCM|POLY1305))/)
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

  test('none of the attacks that have a name', { timeout: PATIENCE }, async () => {
    const found = await testssl('-U')
    for (const name of ['heartbleed', 'CCS', 'ticketbleed', 'ROBOT', 'CRIME_TLS', 'SWEET32', 'LUCKY13', 'RC4'])
      expect(found[name]).toMatch(/^not vulnerable/)
  })
})

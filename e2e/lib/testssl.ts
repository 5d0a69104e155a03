// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect } from 'vitest'
import { run } from './clients.js'
import { startFakeBackend } from './fake-backends.js'
import { type Portico, startPortico } from './portico.js'
import { USERS } from './two-dovecots.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

/** Each run asks hundreds of times, one after the other. */
export const PATIENCE = 300_000

/** What is as it is meant to be, or is not of this server, whatever testssl thinks of it. */
const KNOWN = [
  // All of the ciphers are good ones, so that clients choose what is cheapest on their machines.
  'cipher_order',
  // The certificate of the test: it lives for a month, and nobody can ask for its state.
  ...['cert_expirationStatus', 'cert_notAfter', 'cert_revocation', 'DNS_CAArecord'],
  // What the machine's own OpenSSL cannot do.
  ...['engine_problem', 'sessionresumption_ticket'],
]

/** What testssl found at the sign-in page, by its names for it; all of it has to be good or without weight. */
export type Testssl = (...checks: readonly string[]) => Promise<Readonly<Record<string, string>>>

/** A sign-in page behind TLS for the tests of a scenario, and testssl to look at it. */
export function testsslAtSignInPage(): Testssl {
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

  return async (...checks) => {
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
}

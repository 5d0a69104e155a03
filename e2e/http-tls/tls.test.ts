// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run, settingsFile } from '../lib/clients.js'
import { startFakeBackend } from '../lib/fake-backends.js'
import { startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

scenario('TLS as testssl sees it', { programs: ['testssl', 'openssl'] }, () => {
  test('no protocol of old, and HTTP/2 by ALPN', { timeout: 300_000 }, async () => {
    await using backend = await startFakeBackend('http', 'none').then((fake) => ({
      ...fake,
      port: fake.port,
      [Symbol.asyncDispose]: () => fake.close(),
    }))
    await using portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: { http: { endpoints: [`http://127.0.0.1:${backend.port}`] } } },
    })
    const file = join(settingsFile('x', '').folder, 'result.json')
    const target = `127.0.0.1:${portico.ports.https}`
    await run('testssl', ['--quiet', '--color', '0', '--warnings', 'batch', '-p', '--jsonfile', file, target])
    const found = JSON.parse(readFileSync(file, 'utf8')) as { id: string; severity: string; finding: string }[]
    const by = Object.fromEntries(found.map(({ id, finding }) => [id, finding]))
    for (const old of ['SSLv2', 'SSLv3', 'TLS1', 'TLS1_1']) expect(by[old]).toMatch(/^not offered/)
    for (const current of ['TLS1_2', 'TLS1_3']) expect(by[current]).toMatch(/^offered/)
    expect(by['ALPN_HTTP2']).toBe('h2')
    expect(found.filter(({ severity }) => /^(?:MEDIUM|HIGH|CRITICAL)$/.test(severity))).toEqual([])
  })
})

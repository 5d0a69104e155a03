// SPDX-License-Identifier: MIT
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../lib/clients.js'
import { type FakeBackend, startFakeBackend } from '../lib/fake-backends.js'
import { LineClient } from '../lib/line-client.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'

scenario('a new configuration while clients are there', { programs: ['openssl'] }, () => {
  let backend: FakeBackend
  let portico: Portico<'imap' | 'imaps'>
  let live: LineClient

  beforeAll(async () => {
    backend = await startFakeBackend('imap4', 'none')
    portico = await startPortico({
      listeners: {
        imap: { protocol: 'imap4', tls: 'none', plaintextPasswords: 'always' },
        imaps: { protocol: 'imap4', tls: 'implicit' },
      },
      users: ['alice:{PLAIN}alicepw::::::group=mbx1'],
      backends: { mbx1: { identity: 'password', imap4: { endpoints: [`127.0.0.1:${backend.port}`] } } },
    })
    live = await LineClient.connect(portico.ports.imap)
    await live.until(/\r\n/)
    expect(await live.ask('a LOGIN alice alicepw', /^a .*\r\n/m)).toMatch(/^a OK/m)
  })
  afterAll(async () => {
    live?.destroy()
    await portico?.stop()
    await backend?.close()
  })

  async function greeting(): Promise<string> {
    const client = await LineClient.connect(portico.ports.imap)
    const said = await client.until(/\r\n/)
    client.destroy()
    return said
  }
  const stillThere = async (): Promise<void> => {
    expect(await live.ask('n NOOP', /^n .*\r\n/m)).toBe('n OK NOOP done\r\n')
  }

  test('SIGHUP: new sessions follow the new file, a live one goes on', async () => {
    expect(await greeting()).not.toContain('X-RENEWED')
    portico.rewrite({ ...portico.config, imap4: { capabilities: ['X-RENEWED'] } })
    process.kill(portico.pid, 'SIGHUP')
    await eventually(async () => expect(await greeting()).toContain('X-RENEWED'))
    await stillThere()
  })

  test('SIGHUP with a bad file: refused with its place in the log, and nothing changes', async () => {
    portico.rewrite({ ...portico.config, imap4: { capabilities: ['X-NEVER'] }, limitz: {} })
    process.kill(portico.pid, 'SIGHUP')
    const line = await portico.logged(/limitz/)
    expect(line).toMatch(/portico\.yaml:\d+:\d+/)
    const greetings = await Promise.all(Array.from({ length: 6 }, greeting))
    for (const said of greetings) expect(said).toMatch(/X-RENEWED/)
    await stillThere()
  })

  test('portico reload: says what is wrong and ends with 1; with a good file it ends with 0 and the file holds', async () => {
    const reload = () => run(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
    const refused = await reload()
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/portico\.yaml:\d+:\d+.*limitz|limitz.*portico\.yaml:\d+:\d+/)
    portico.rewrite({ ...portico.config, imap4: { capabilities: ['X-THIRD'] } })
    const accepted = await reload()
    expect([accepted.code, accepted.stderr]).toEqual([0, ''])
    expect(await greeting()).toContain('X-THIRD')
    await stillThere()
  })

  test('a certificate that is renewed in its place is picked up without a signal', async () => {
    const { server, client } = testCertificates()
    const [certificate, key] = ['site.pem', 'site.key'].map((name) => join(portico.folder, name)) as [string, string]
    copyFileSync(server.certificateFile, certificate)
    copyFileSync(server.keyFile, key)
    portico.rewrite({ ...portico.config, tls: [{ names: ['localhost'], certificate, key: { file: key } }] })
    expect((await run(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])).code).toBe(0)
    expect(await servedSubject(portico.ports.imaps)).toBe('localhost')
    copyFileSync(client.keyFile, key)
    copyFileSync(client.certificateFile, certificate)
    await eventually(async () => expect(await servedSubject(portico.ports.imaps)).toBe('alice'), 30_000)
    await stillThere()
  })

  test('SIGTERM: the live session is told goodbye, and no new one comes in', async () => {
    process.kill(portico.pid, 'SIGTERM')
    await eventually(async () => {
      await expect(LineClient.connect(portico.ports.imap)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })
    expect(await live.end()).toMatch(/^\* BYE \[UNAVAILABLE\] [^\r\n]*\r\n$/)
    await portico.logged(/"left"/)
  })
})

/** The subject of the certificate that a TLS client is shown. */
function servedSubject(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate()
      socket.destroy()
      resolve(Array.isArray(subject.CN) ? subject.CN[0] : subject.CN)
    })
    socket.once('error', reject)
  })
}

// SPDX-License-Identifier: MIT
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { APACHE_PROGRAMS, type ApacheDav, startApacheDav, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { background } from '../lib/background.js'
import { settingsFile, succeed } from '../lib/clients.js'
import { fetched } from '../lib/curl.js'
import { type Portico, startPortico } from '../lib/portico.js'
import { eventually, scenario } from '../lib/scenario.js'
import { USERS } from '../lib/two-dovecots.js'

const BIG = Buffer.alloc(20 * 1024 ** 2, 'portico\n')
const needs = { programs: [...APACHE_PROGRAMS, 'curl', 'nghttp', 'h2load', 'openssl'], root: true }

/** Apache speaks HTTP/1.1 behind the door. */
scenario('HTTP/2 by clients that others wrote', needs, () => {
  let apaches: readonly ApacheDav[]
  let portico: Portico<'https'>
  const { ca } = testCertificates()
  const door = (): string => `https://localhost:${portico.ports.https}`
  const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${user}pw`).toString('base64')}`

  beforeAll(async () => {
    apaches = await Promise.all(
      ['alice', 'bob'].map((user) => startApacheDav({ users: { [user]: `${user}pw` }, path: '/files' })),
    )
    for (const [index, { files }] of apaches.entries()) {
      for (const [name, content] of [
        ['who', USERS[index]?.split(':')[0] ?? ''],
        ['big', BIG],
      ] as const) {
        writeFileSync(join(files, name), content)
        chmodSync(join(files, name), 0o644)
      }
    }
    const group = (index: number) => ({
      identity: 'password',
      http: { endpoints: [`http://127.0.0.1:${apaches[index]?.port}`] },
    })
    portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: USERS,
      backends: { mbx1: group(0), mbx2: group(1) },
    })
  })
  afterAll(async () => {
    await portico?.stop()
    await Promise.all((apaches ?? []).map((apache) => apache.stop()))
  })

  test('curl: both versions by ALPN, 304, 401 and a file of 20 MiB up and down', async () => {
    const me = ['-u', 'alice:alicepw']
    for (const version of ['1.1', '2']) {
      const how = [`--http${version}`, ...me]
      const file = `${door()}/files/up${version}`
      const up = await fetched(file, [...how, '-T', settingsFile('up', BIG).file])
      expect(up).toMatchObject({ version, status: 201 })
      expect(readFileSync(join(apaches[0]?.files ?? '', `up${version}`)).equals(BIG)).toBe(true)
      const down = await fetched(file, how)
      expect(down.body === BIG.toString('latin1')).toBe(true)
      const same = await fetched(file, [...how, '-H', `If-None-Match: ${down.field('etag')}`])
      expect(same).toMatchObject({ version, status: 304, body: '' })
      expect(await fetched(file, [`--http${version}`])).toMatchObject({ version, status: 401 })
    }
  })

  test('curl: two users in one connection each see their own', async () => {
    const ask = (user: string) => ['-u', `${user}:${user}pw`, '--cacert', ca.certificateFile, `${door()}/files/who`]
    const said = await succeed('curl', [
      ...['-sS', '--http2', '-w', ' %{num_connects}\n', ...ask('alice')],
      ...['--next', '-sS', '--http2', '-w', ' %{num_connects}\n', ...ask('bob')],
    ])
    expect(said).toBe('alice 1\nbob 0\n')
  })

  test('nghttp: forty streams at once, and content with trailers', async () => {
    const many = await succeed('nghttp', [
      '-nsm',
      '40',
      '-H',
      `authorization: ${basic('alice')}`,
      `${door()}/files/who`,
    ])
    expect(many.match(/ 200 +\S+ \/files\/who/g)).toHaveLength(40)
    const content = settingsFile('content', 'with trailers').file
    const put = ['-H', ':method: PUT', '-H', `authorization: ${basic('alice')}`, '-d', content, '--trailer', 'x-sum: 1']
    const said = await succeed('nghttp', ['-v', ...put, '--no-content-length', `${door()}/files/trailed`])
    expect(said).toMatch(/:status: 201/)
    expect(readFileSync(join(apaches[0]?.files ?? '', 'trailed'), 'utf8')).toBe('with trailers')
  })

  test('what needs a connection for itself comes again by HTTP/1.1 (RFC 9113 section 7)', async () => {
    const asked = ['-H', ':method: RPC_IN_DATA', '-H', `authorization: ${basic('alice')}`]
    expect(await succeed('nghttp', ['-v', ...asked, `${door()}/files/who`])).toContain('HTTP_1_1_REQUIRED')
    const again = await fetched(`${door()}/files/who`, ['--http2', '-X', 'RPC_IN_DATA', '-u', 'alice:alicepw'])
    expect(again.version).toBe('1.1')
    expect(apaches[0]?.log()).toContain('"RPC_IN_DATA /files/who HTTP/1.1"')
  })

  test('h2load: a thousand requests on four connections, every one answered well', async () => {
    const how = ['-n', '1000', '-c', '4', '-m', '25', '-H', `authorization: ${basic('bob')}`]
    const said = await succeed('h2load', [...how, `${door()}/files/who`])
    expect(said).toMatch(/1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout/)
    expect(said).toMatch(/status codes: 1000 2xx/)
  })

  test('who is reading when the service stops reads to the end', async () => {
    const slow = ['-sS', '--http2', '--limit-rate', '8M', '-u', 'alice:alicepw', '--cacert', ca.certificateFile]
    const reader = background('curl', [
      '-v',
      ...slow,
      '-o',
      '/dev/null',
      '-w',
      'got %{size_download}',
      `${door()}/files/big`,
    ])
    await eventually(() => expect(reader.said()).toContain('< HTTP/2 200'))
    process.kill(portico.pid, 'SIGTERM')
    expect(await reader.ended).toBe(0)
    expect(reader.said()).toContain(`got ${BIG.length}`)
  })
})

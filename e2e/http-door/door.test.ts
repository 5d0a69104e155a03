// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { privateFolder, testCertificates } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { succeed } from '../lib/clients.js'
import { PORTICO, type Portico, startPortico } from '../lib/portico.js'
import { scenario } from '../lib/scenario.js'

const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'

scenario('port 80 and 443 of a site', { programs: ['curl', 'openssl'] }, () => {
  let backend: Server
  let portico: Portico<'http' | 'https'>
  const asked: string[] = []
  const webroot = privateFolder('acme')

  beforeAll(async () => {
    backend = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['authorization'] ?? 'nobody'}`)
      response.end('from the backend')
    })
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    const { port } = backend.address() as AddressInfo
    portico = await startPortico({
      listeners: { http: { protocol: 'http', tls: 'none' }, https: { protocol: 'http', tls: 'implicit' } },
      users: ['alice:{PLAIN}alicepw::::::group=web'],
      backends: { web: { identity: 'password', http: { endpoints: [`http://127.0.0.1:${port}`] } } },
    })
    mkdirSync(join(webroot, '.well-known/acme-challenge'), { recursive: true })
    writeFileSync(join(webroot, '.well-known/acme-challenge', TOKEN), `${TOKEN}.fingerprint`)
    await reloadWith({})
  })
  afterAll(async () => {
    await portico?.stop()
    await new Promise((resolve) => backend?.close(resolve))
  })

  async function reloadWith(more: object): Promise<void> {
    const http = {
      httpsUrl: `https://localhost:${portico.ports.https}`,
      acmeWebroot: webroot,
      directories: [
        { preset: 'owa', auth: ['basic'], group: 'web', preAuth: ['/logo.png'] },
        { preset: 'caldav', mount: '/dav' },
      ],
    }
    portico.rewrite({ ...portico.config, http, ...more })
    await succeed(process.execPath, [PORTICO, 'reload', '--config', portico.configFile])
  }

  const url = (listener: 'http' | 'https', path: string) => `${listener}://localhost:${portico.ports[listener]}${path}`

  /** What curl writes: the body, then the status, the last address and how often it was led on. */
  async function curl(address: string, ...more: string[]) {
    const { ca } = testCertificates()
    const shown = '\n%{http_code} %{num_redirects} %{url_effective}'
    const written = await succeed('curl', [
      '-sS',
      '--path-as-is',
      '--cacert',
      ca.certificateFile,
      '-w',
      shown,
      ...more,
      address,
    ])
    const lines = written.split('\n')
    const [status, led, last] = (lines.at(-1) ?? '').split(' ')
    return { body: lines.slice(0, -1).join('\n'), status: Number(status), led: Number(led), last }
  }

  test('a browser that knows the name alone comes to the encrypted side, and signs in there', async () => {
    const credentials = ['-L', '--location-trusted']
    expect(await curl(url('http', '/owa/?a=b'), ...credentials)).toMatchObject({
      status: 401,
      led: 1,
      last: url('https', '/owa/?a=b'),
    })
    expect(await curl(url('https', '/owa/?a=b'), '-u', 'alice:alicepw')).toMatchObject({
      status: 200,
      body: 'from the backend',
    })
    expect(asked.at(-1)).toBe(`GET /owa/?a=b Basic ${Buffer.from('alice:alicepw').toString('base64')}`)
  })

  test('a password on port 80 is refused, and no backend hears of it', async () => {
    const before = asked.length
    expect((await curl(url('http', '/owa/'), '-u', 'alice:alicepw')).status).toBe(403)
    expect((await curl(url('http', '/owa/'), '-X', 'POST', '-d', 'x')).status).toBe(403)
    expect(asked).toHaveLength(before)
  })

  test('a certificate authority gets its answer', async () => {
    expect(await curl(url('http', `/.well-known/acme-challenge/${TOKEN}`))).toMatchObject({
      status: 200,
      body: `${TOKEN}.fingerprint`,
    })
  })

  test('a calendar client finds its directory (RFC 6764), but not with its password in the clear', async () => {
    const wellKnown = (listener: 'http' | 'https') =>
      curl(url(listener, '/.well-known/caldav'), '-L', '-u', 'alice:alicepw', '--location-trusted', '-X', 'PROPFIND')
    expect((await wellKnown('http')).status).toBe(403)
    expect(await wellKnown('https')).toMatchObject({ status: 200, led: 1 })
    expect(asked.at(-1)).toBe(`PROPFIND /dav/ Basic ${Buffer.from('alice:alicepw').toString('base64')}`)
  })

  test('a logo needs no sign-in, and tells the backend of nobody', async () => {
    expect((await curl(url('https', '/owa/logo.png'), '-u', 'alice:alicepw')).status).toBe(200)
    expect(asked.at(-1)).toBe('GET /owa/logo.png nobody')
    expect((await curl(url('https', '/owa/other.png'))).status).toBe(401)
  })

  test.each(['/owa/../x', '/owa;x/', '/owa%2fx', '/owa/%2e%2e/x', '/owa/%c0%ae%c0%ae/x', '/owa/a%5cb', '/owa/%252e'])(
    '%s is nowhere',
    async (path) => {
      const before = asked.length
      expect((await curl(url('https', path), '-u', 'alice:alicepw')).status).toBe(400)
      expect(asked).toHaveLength(before)
    },
  )

  test('a component that is taken out of service says so to balancers, and comes back', async () => {
    const health = async (path: string) => {
      const pages = await Promise.all((['http', 'https'] as const).map((listener) => curl(url(listener, path))))
      return pages.map(({ status, body }) => `${status} ${body.split('\n')[0]}`)
    }
    const well = '200 200 OK<br/>portico.test.lan'
    expect(await health('/owa/healthcheck.htm')).toEqual([well, well])
    await reloadWith({ components: { owa: 'inactive' } })
    expect(await health('/OWA/HealthCheck.htm')).toEqual(Array(2).fill('503 503 Service Unavailable'))
    expect(await health('/dav/healthcheck.htm')).toEqual([well, well])
    expect(await health('/healthcheck.htm')).toEqual([well, well])
    expect((await curl(url('https', '/owa/'), '-u', 'alice:alicepw')).status).toBe(503)
    expect((await curl(url('https', '/dav/'), '-u', 'alice:alicepw')).status).toBe(200)
    await reloadWith({})
    expect(await health('/owa/healthcheck.htm')).toEqual([well, well])
  })
})

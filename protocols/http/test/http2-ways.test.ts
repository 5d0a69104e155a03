// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { formatProxyHeader } from '@portico/net'
import { testCertificates } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { ALICE, ask, Http2Front, plainSocket } from './http2-front.js'

const GET = { ':path': '/', ...ALICE }
const CLIENT = { address: '192.0.2.7', port: 4711, family: 4 } as const
const HERE = { address: '192.0.2.1', port: 443, family: 4 } as const

describe('HTTP/2 by way of others', () => {
  test('each stream of a proxy of the site is from the client that it speaks for', async () => {
    const seen: string[] = []
    await using front = await Http2Front.start(
      (request, response) => {
        seen.push(String(request.headers['x-forwarded-for']))
        response.end()
      },
      { networks: { proxies: ['127.0.0.0/8'], branch: ['192.0.2.0/24'] } },
    )
    const client = front.client()
    const from = ['192.0.2.7', '198.51.100.9', '192.0.2.8']
    const got = await Promise.all(from.map((address) => ask(client, { ...GET, 'x-forwarded-for': address })))
    expect(got.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(seen.sort()).toEqual(from.map((address) => `${address}, 127.0.0.1`).sort())
    for (const address of from) await front.line('signed in', { client: address })
    client.close()
    expect((await front.line('session ended')).facts).toMatchObject({ client: '127.0.0.1', user: 'alice' })
  })

  test('what a client says of itself is not believed', async () => {
    const seen: IncomingMessage[] = []
    await using front = await Http2Front.start((request, response) => {
      seen.push(request)
      response.end()
    })
    await ask(front.client(), { ...GET, 'x-forwarded-for': '192.0.2.7', 'x-remote-user': 'root', via: '1.1 portico' })
    expect(seen[0]?.headers['x-forwarded-for']).toBe('127.0.0.1')
    expect(seen[0]?.headers['x-remote-user']).toBeUndefined()
  })

  test.each([1, 2] as const)('TLS behind a PROXY header of version %i', async (version) => {
    await using front = await Http2Front.start((_request, response) => response.end('here'), {
      networks: { balancers: ['127.0.0.0/8'] },
    })
    const below = plainSocket(front.port)
    below.write(formatProxyHeader(version, CLIENT, HERE))
    const socket = connectTls({
      socket: below,
      servername: 'localhost',
      ca: testCertificates().ca.certificate,
      ALPNProtocols: ['h2'],
    })
    await once(socket, 'secureConnect')
    const client = connectHttp2('https://localhost', { createConnection: () => socket })
    expect((await ask(client, GET)).body).toBe('here')
    await front.line('signed in', { client: CLIENT.address })
    client.destroy()
  })

  test('TLS that a balancer took off', async () => {
    await using front = await Http2Front.start((_request, response) => response.end('here'), {
      networks: { balancers: ['127.0.0.0/8'] },
    })
    const socket = plainSocket(front.port)
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', alpn: 'h2', servername: 'localhost' }
    socket.write(formatProxyHeader(2, CLIENT, HERE, { tls: { ...tls, clientCertificate: undefined } }))
    const client = connectHttp2('https://localhost', { createConnection: () => socket })
    expect((await ask(client, GET)).body).toBe('here')
    await front.line('signed in', { client: CLIENT.address, encrypted: true })
    client.destroy()
  })
})

describe('our own sign-in page over HTTP/2', () => {
  test('gives a cookie that other streams are signed in by', async () => {
    await using front = await Http2Front.start((request, response) => response.end(request.headers.cookie ?? 'none'), {
      http: { directories: [{ preset: 'owa', mount: '/owa', auth: ['forms'] }] },
    })
    const client = front.client()
    const page = await ask(client, { ':path': '/owa/auth/logon.aspx' })
    expect(page).toMatchObject({ status: 200, code: 0 })
    expect(page.headers['content-type']).toContain('text/html')
    const before = (page.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ')
    const token = /name="token" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const form = new URLSearchParams({ destination: '/owa/', username: 'alice', password: 'secret', token })
    const signed = await ask(
      client,
      {
        ':path': '/owa/auth.owa',
        ':method': 'POST',
        'content-type': 'application/x-www-form-urlencoded',
        cookie: before,
        origin: `https://localhost:${front.port}`,
        'sec-fetch-site': 'same-origin',
      },
      form.toString(),
    )
    expect(signed).toMatchObject({ status: 302, code: 0 })
    const cookie = (signed.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; ')
    const got = await Promise.all([1, 2, 3].map((index) => ask(client, { ':path': `/owa/${index}`, cookie })))
    expect(got.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([200, 'none']))
  })
})

// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { ALICE, ask, Http2Front } from './http2-front.js'

const HTTP = {
  directories: [
    { preset: 'owa', auth: ['basic'], group: 'web', preAuth: ['/logo.png', '/hidden'] },
    { preset: 'caldav', mount: '/dav' },
    { mount: '/' },
  ],
}

/** A web server that notes what it is asked, and by whom; it hides one page from strangers. */
function server(seen: string[]): RequestListener {
  return (request, response) => {
    const { authorization = 'nobody' } = request.headers
    seen.push(`${request.url} ${authorization === 'nobody' ? authorization : 'somebody'}`)
    response.writeHead(request.url === '/owa/hidden' && authorization === 'nobody' ? 401 : 200).end('web')
  }
}

test.each([
  ['/owa;x/', 400],
  ['/owa%2Fx', 400],
  ['/dav/%2e%2e/owa', 400],
  ['/dav/%c0%ae/', 400],
  ['/OWA/x', 200],
])('a path has the same one reading as in HTTP/1.1: %s is %d', async (path, status) => {
  const seen: string[] = []
  await using front = await Http2Front.start(server(seen), { http: HTTP })
  expect((await ask(front.client(), { ':path': path, ...ALICE })).status).toBe(status)
  expect(seen).toEqual(status === 200 ? ['/owa/x somebody'] : [])
})

test('names under /.well-known/ and pages of health', async () => {
  await using front = await Http2Front.start(server([]), {
    http: HTTP,
    hostname: 'mail.example.com',
    components: { owa: 'inactive' },
  })
  const client = front.client()
  const found = await ask(client, { ':method': 'PROPFIND', ':path': '/.well-known/caldav' })
  expect(found).toMatchObject({ status: 307, headers: { location: '/dav/' } })
  expect((await ask(client, { ':path': '/owa/healthcheck.htm' })).status).toBe(503)
  expect((await ask(client, { ':path': '/owa/', ...ALICE })).status).toBe(503)
  expect(await ask(client, { ':path': '/dav/HealthCheck.htm' })).toMatchObject({
    status: 200,
    body: '200 OK<br/>mail.example.com\n',
  })
})

test('strangers get what is open to them, as nobody, until their address has failed too often', async () => {
  const seen: string[] = []
  await using front = await Http2Front.start(server(seen), {
    http: HTTP,
    auth: { failuresPerAddress: 2, delays: ['0s'] },
  })
  const client = front.client()
  expect((await ask(client, { ':path': '/owa/logo.png', ...ALICE })).status).toBe(200)
  expect((await ask(client, { ':path': '/owa/hidden' })).status).toBe(403)
  expect((await ask(client, { ':path': '/owa/hidden' })).status).toBe(403)
  const late = await ask(client, { ':path': '/owa/logo.png' })
  expect(late).toMatchObject({ status: 429, headers: { 'retry-after': '30' } })
  expect(seen).toEqual(['/owa/logo.png nobody', '/owa/hidden nobody', '/owa/hidden nobody'])
})

test('they stay strangers by it, and are let go when their time is up', async () => {
  await using front = await Http2Front.start(server([]), { http: HTTP, limits: { preAuth: '1s' } })
  const client = front.client()
  const closed = once(client, 'close')
  expect((await ask(client, { ':path': '/owa/logo.png' })).status).toBe(200)
  await closed
  await front.line('session ended', { reason: 'deadline' })
})

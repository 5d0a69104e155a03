// SPDX-License-Identifier: MIT
import type { MailboxLocation } from '@portico/base'
import { expect, test } from 'vitest'
import { answering, BASIC, Client, Front, type World } from './harness.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
const SETTINGS = {
  directories: [
    { mount: '/web', backendPath: '/SOGo', group: 'web', preAuth: ['/logo.png', '/sign/in'], maxBody: '1KiB' },
  ],
}

/** What requests on one connection get, and what a backend sees of them. */
async function ask(lines: readonly string[], answer = OK, world: World = {}) {
  const heads: string[] = []
  const locations: MailboxLocation[] = []
  await using front = await Front.start(
    answering(heads, () => answer),
    { settings: SETTINGS, ...world, routed: (location) => locations.push(location) },
  )
  const client = await Client.connect(front.port)
  client.send(...lines)
  const received = await client.toEnd()
  const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
  return { received, statuses, heads, locations, verdicts: front.verdicts }
}

const get = (path: string, ...fields: string[]) => [
  `GET ${path} HTTP/1.1`,
  'Host: mail.example.com',
  'Connection: close',
  ...fields,
  '',
  '',
]

test('a path that its directory opens is forwarded without a sign-in, and tells of no user', async () => {
  const { statuses, heads, locations } = await ask(
    get('/web/logo.png?v=2', BASIC, 'X-User: alice', 'Cookie: backend=1', 'X-Forwarded-User: alice'),
    OK,
    { identity: { kind: 'header', name: 'X-User' } },
  )
  expect(statuses).toEqual([200])
  expect(heads[0]).toMatch(/^GET \/SOGo\/logo\.png\?v=2 HTTP\/1\.1\r\n/)
  expect(heads[0]).toMatch(/^Cookie: backend=1\r$/m)
  expect(heads[0]).not.toMatch(/alice|^(Authorization|X-User|X-Forwarded-User):/im)
  expect(locations).toEqual([{ group: 'web', source: 'directory' }])
})

test.each([
  '/web/logo.png/',
  '/web/logo.pn',
  '/web/Logo.png',
  '/web/logo.png;x',
  '/web/logo.png/x',
  '/web/sign',
  '/web/sign/in/x',
  '/web/sign%2Fin',
  '/web/x/../logo.png',
  '/web/',
  '/logo.png',
])('no other path is: %s', async (path) => {
  const { statuses, heads } = await ask(get(path))
  expect([400, 401, 404]).toContain(statuses[0])
  expect(heads).toEqual([])
})

test('the path is looked at in its normal form, which is what is forwarded', async () => {
  const { heads } = await ask(get('/WEB//sign/%69n'))
  expect(heads[0]).toMatch(/^GET \/SOGo\/sign\/in HTTP/)
})

test('a challenge of the backend, which nobody could answer, becomes 403', async () => {
  const challenge = 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
  const { received, statuses, verdicts } = await ask(get('/web/logo.png'), challenge)
  expect(statuses).toEqual([403])
  expect(received).not.toContain('WWW-Authenticate')
  expect(verdicts).toEqual(['stranger refused'])
})

test('what the backend refuses counts against the address, which is then told to wait', async () => {
  const one = ['GET /web/sign/in HTTP/1.1', 'Host: x', '', ''].join('\r\n')
  const forbidden = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'
  const { received, statuses, heads } = await ask([one.repeat(3)], forbidden, { mostRefused: 2 })
  expect(statuses).toEqual([403, 403, 429])
  expect(heads).toHaveLength(2)
  expect(received).toMatch(/^Retry-After: 45\r$/m)
  expect(received).toMatch(/^Connection: close\r$/m)
})

test('other answers count for nothing', async () => {
  const missing = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
  expect((await ask(get('/web/logo.png'), missing)).verdicts).toEqual([])
})

test('encryption is asked for here, too', async () => {
  const settings = { ...SETTINGS, httpsUrl: 'https://mail.example.com' }
  const { received, heads } = await ask(get('/web/logo.png'), OK, { settings, encrypted: false })
  expect(received).toMatch(/^HTTP\/1\.1 308 [\s\S]*^Location: https:\/\/mail\.example\.com\/web\/logo\.png\r$/m)
  expect(heads).toEqual([])
})

test('the largest body of the directory holds', async () => {
  const post = ['POST /web/sign/in HTTP/1.1', 'Host: x', 'Content-Length: 1025', '', 'x'.repeat(1025)]
  expect(await ask(post)).toMatchObject({ statuses: [413], heads: [] })
})

test('nobody becomes anything but a stranger by it: the time for a sign-in goes on', async () => {
  await using front = await Front.start(
    answering([], () => OK),
    { settings: SETTINGS, preAuth: 1_000 },
  )
  const client = await Client.connect(front.port)
  client.send('GET /web/logo.png HTTP/1.1', 'Host: x', '', '')
  await client.take('hi')
  await client.toEnd()
  expect(await front.ended[0]).toBe('deadline')
})

test('nobody gets a tunnel without a sign-in', async () => {
  const [directory] = SETTINGS.directories
  const settings = { directories: [{ ...directory, upgrades: ['websocket'] }] }
  const upgrade = ['GET /web/sign/in HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', '', '']
  const heads: string[] = []
  await using front = await Front.start(
    answering(heads, () => OK),
    { settings },
  )
  const client = await Client.connect(front.port)
  client.send(...upgrade)
  await client.take('hi')
  expect(heads[0]).not.toMatch(/upgrade/i)
})

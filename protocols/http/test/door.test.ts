// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '@portico/telemetry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answering, BASIC, Client, Front, type World } from './harness.js'

const folder = mkdtempSync(join(tmpdir(), 'portico-door-'))
const webroot = join(folder, 'webroot')
const challenges = join(webroot, '.well-known/acme-challenge')
const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'

beforeAll(() => {
  mkdirSync(challenges, { recursive: true })
  writeFileSync(join(folder, 'secret'), 'not to be shown')
  writeFileSync(join(challenges, TOKEN), `${TOKEN}.fingerprint`)
  writeFileSync(join(challenges, 'a.b'), 'not to be shown')
  writeFileSync(join(challenges, 'large'), 'x'.repeat(1025))
  symlinkSync(join(folder, 'secret'), join(challenges, 'link'))
  mkdirSync(join(challenges, 'folder'))
  execFileSync('mkfifo', [join(challenges, 'pipe')])
})
afterAll(() => rmSync(folder, { recursive: true }))

const SETTINGS = { httpsUrl: 'https://mail.example.com', acmeWebroot: webroot }

/** What one request gets at a door, and what a backend sees of it. */
async function ask(line: string, world: World = {}, ...fields: string[]) {
  const heads: string[] = []
  await using front = await Front.start(
    answering(heads, () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    { settings: SETTINGS, ...world, listener: { plaintextPasswords: 'never', ...world.listener } },
  )
  const client = await Client.connect(front.port)
  client.send(`${line} HTTP/1.1`, 'Host: evil.example', 'Connection: close', ...fields, '', '')
  const received = await client.toEnd()
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s)
  const status = Number(head.split(' ')[1])
  return { status, body, head, location: /^Location: (.*)$/m.exec(head)?.[1]?.trim(), heads }
}

describe('a listener without encryption leads to the encrypted side', () => {
  test.each([
    ['/', 'https://mail.example.com/'],
    ['/owa/?ae=Item&t=1', 'https://mail.example.com/owa/?ae=Item&t=1'],
    ['/.well-known/caldav', 'https://mail.example.com/.well-known/caldav'],
    [
      '/autodiscover/autodiscover.json?Protocol=Ews',
      'https://mail.example.com/autodiscover/autodiscover.json?Protocol=Ews',
    ],
    ['http://evil.example/a', 'https://mail.example.com/a'],
  ])('GET %s', async (path, location) => {
    const answer = await ask(`GET ${path}`)
    expect(answer).toMatchObject({ status: 308, location, heads: [] })
  })

  test('Outlook is led on by 302, whatever it is called here', async () => {
    const answer = await ask('GET /Autodiscover/Autodiscover.xml?x')
    const location = 'https://mail.example.com/autodiscover/autodiscover.xml'
    expect(answer).toMatchObject({ status: 302, location })
  })

  test.each(['POST /autodiscover/autodiscover.xml', 'PROPFIND /dav', 'OPTIONS *', 'OPTIONS /'])(
    '%s is refused: what it carries has been seen by others already',
    async (line) => {
      expect(await ask(line, {}, 'Content-Length: 0')).toMatchObject({ status: 403, location: undefined, heads: [] })
    },
  )

  test('so is a password, which is not looked at', async () => {
    const login = () => {
      throw new Error('looked at')
    }
    expect(await ask('GET /', { login }, BASIC)).toMatchObject({ status: 403, location: undefined, heads: [] })
  })

  test('a page of health is the same here', async () => {
    expect(await ask('GET /HealthCheck.htm')).toMatchObject({ status: 200, body: '200 OK<br/>mail.example.com\n' })
  })

  test('while the node leaves nobody is led anywhere', async () => {
    expect(await ask('GET /', { states: new Map([['http', 'draining']]) })).toMatchObject({ status: 503 })
  })
})

describe('what is no door', () => {
  test.each([
    ['where passwords are allowed', {}, { plaintextPasswords: 'always' }],
    ['which says so itself', {}, { options: { door: false } }],
    ['without an address to lead to', { settings: {} }, {}],
  ] as const)('a listener %s', async (_label, world, listener) => {
    expect(await ask('GET /', { ...world, listener }, BASIC)).toMatchObject({ status: 200, body: 'hi' })
  })

  test('a listener that says it is one is, though passwords are allowed', async () => {
    const listener = { plaintextPasswords: 'always', options: { door: true } } as const
    expect(await ask('GET /', { listener })).toMatchObject({ status: 308 })
  })
})

describe('the challenges of a certificate authority (RFC 8555 section 8.3)', () => {
  test('are answered from the webroot', async () => {
    const answer = await ask(`GET /.well-known/acme-challenge/${TOKEN}`)
    expect(answer).toMatchObject({ status: 200, body: `${TOKEN}.fingerprint` })
    expect(answer.head).toMatch(/^Content-Type: application\/octet-stream\r$/m)
    expect(answer.head).toMatch(/^Cache-Control: no-store\r$/m)
  })

  test('without a webroot they are led on, as everything is', async () => {
    const settings = { httpsUrl: SETTINGS.httpsUrl }
    expect(await ask(`GET /.well-known/acme-challenge/${TOKEN}`, { settings })).toMatchObject({ status: 308 })
  })

  test.each([
    ['none', 'unknown', undefined],
    ['a link, which could lead anywhere', 'link', 'ELOOP'],
    ['a folder', 'folder', 'no-file'],
    ['a pipe, which nobody fills', 'pipe', 'no-file'],
    ['a file that is too large to be one', 'large', 'too-large'],
  ])('are not: %s', async (_label, token, code) => {
    const logged: unknown[] = []
    const log = {
      warn: (_text: string, facts: { code: string }) => logged.push(facts.code),
      debug() {},
    } as unknown as Log
    const answer = await ask(`GET /.well-known/acme-challenge/${token}`, { log })
    expect(answer).toMatchObject({ status: 404, body: '404 Not Found\n' })
    expect(logged).toEqual(code === undefined ? [] : [code])
  })

  test.each(['a.b', '', 'a/b', 'x'.repeat(257)])(
    'a path that no authority asks for is no challenge: %s',
    async (name) => {
      expect((await ask(`GET /.well-known/acme-challenge/${name}`)).status).toBe(308)
    },
  )

  test.each(['../../../secret', '%2e%2e/%2e%2e/%2e%2e/secret', '..%2f..%2f..%2fsecret'])(
    'nothing leads out of the folder: %s',
    async (name) => {
      expect((await ask(`GET /.well-known/acme-challenge/${name}`)).status).toBe(400)
    },
  )
})

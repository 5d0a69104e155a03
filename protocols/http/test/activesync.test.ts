// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import { limitsSchema, type Services } from '@portico/session'
import { type LogFacts, silentLog } from '@portico/telemetry'
import { describe, expect, test } from 'vitest'
import { answering, BASIC, Client, Front, type PlayBackend, type World } from './harness.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const EAS = '/Microsoft-Server-ActiveSync'
const PLAIN = `${EAS}?Cmd=Sync&User=alice&DeviceId=v140Device&DeviceType=SmartPhone`
const BASE64 = `${EAS}?jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l`

/** Buckets that are never empty, or always. */
function bucketsOf(retryAfterMs = 0): Services['state'] {
  const take = async () => ({ allowed: retryAfterMs === 0, remaining: 0, retryAfterMs })
  return { take, increment: async () => 1 } as unknown as Services['state']
}

function worldOf({
  activeSync = {},
  retryAfterMs,
  services,
  ...more
}: World & { activeSync?: object; retryAfterMs?: number } = {}): World {
  return {
    settings: { directories: [{ preset: 'activesync', auth: ['basic'] }], activeSync },
    services: { state: bucketsOf(retryAfterMs), ...services },
    ...more,
  }
}

function request(method: string, target: string, ...fields: readonly string[]): string {
  const length = method === 'POST' ? ['Content-Length: 0'] : []
  return [`${method} ${target} HTTP/1.1`, 'Host: x', BASIC, ...length, ...fields, '', ''].join('\r\n')
}

async function ask(text: string, world: World = worldOf()) {
  const heads: string[] = []
  await using front = await Front.start(
    answering(heads, () => OK),
    world,
  )
  const client = await Client.connect(front.port)
  client.send(text.replace('Host: x', 'Host: x\r\nConnection: close'))
  return { answer: await client.toEnd(), heads, verdicts: front.verdicts }
}

describe('a device is served', () => {
  test.each([
    ['a command in plain text', 'POST', PLAIN],
    ['the same in base64', 'POST', BASE64],
    ['the question for versions', 'OPTIONS', EAS],
  ])('%s', async (_, method, target) => {
    const { answer, heads } = await ask(request(method, target))
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(heads[0]).toContain(`${method} ${target} HTTP/1.1\r\n`)
  })

  test('the log says which device came with whom, once for a connection', async () => {
    const lines: LogFacts[] = []
    const log = { ...silentLog, info: (message: string, facts?: LogFacts) => void lines.push({ message, ...facts }) }
    const { answer } = await ask(
      request('POST', BASE64).replace('Connection: close\r\n', '') + request('POST', BASE64),
      worldOf({ log }),
    )
    expect(answer.match(/HTTP\/1\.1 200 /g)).not.toBeNull()
    expect(lines.filter(({ message }) => message === 'device')).toEqual([
      { message: 'device', session: 's1', user: 'alice', device: 'v140Device', type: 'SmartPhone', version: '14.0' },
    ])
  })

  test.each([
    ['no command', EAS],
    ['two commands', `${PLAIN}&Cmd=Ping`],
    ['base64 that is cut off', BASE64.slice(0, -8)],
  ])('a POST with %s is refused', async (_, target) => {
    const { answer, heads } = await ask(request('POST', target))
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(heads).toEqual([])
  })

  test('nothing is said of a query before the sign-in', async () => {
    const { answer } = await ask(request('POST', EAS).replace(`${BASIC}\r\n`, ''))
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('User= of somebody else is a hint: the backend of the user is asked, and as the user', async () => {
    const keys: string[] = []
    const decide = ({ spreadKey }: { spreadKey: string }) => void keys.push(spreadKey)
    const { heads } = await ask(request('POST', PLAIN.replace('User=alice', 'User=boss')), worldOf({ decide }))
    expect(keys).toEqual(['alice'])
    expect(heads[0]).toContain(`\r\n${BASIC}\r\n`)
    const mayActFor = (_: string, mailbox: string) => mailbox === 'boss'
    await ask(request('POST', PLAIN.replace('User=alice', 'User=boss')), worldOf({ decide, mayActFor }))
    expect(keys).toEqual(['alice', 'boss'])
  })
})

describe('failures in the words of devices ([MS-ASHTTP] section 2.2.2.1.1)', () => {
  const failing = (reason: 'account-disabled' | 'password-expired' | 'throttled' | 'protocol-disabled') => ({
    login: () => ({ kind: 'failed' as const, reason, waitMs: 0, user: 'alice' }),
  })
  const passwordUrl = 'https://password.example.com/'

  test.each([
    ['a barred account', worldOf(failing('account-disabled')), /^HTTP\/1\.1 456 Blocked\r\n/],
    ['a user who may not use it', worldOf(failing('protocol-disabled')), /^HTTP\/1\.1 403 /],
    [
      'an expired password',
      worldOf({ ...failing('password-expired'), activeSync: { passwordUrl } }),
      /^HTTP\/1\.1 457 Expired Password\r\n(?:.*\r\n)*X-MS-Credential-Service-Url: https:\/\/password\.example\.com\/\r\n/,
    ],
    ['the same without a place to change it', worldOf(failing('password-expired')), /^HTTP\/1\.1 401 /],
    ['too many sign-ins', worldOf(failing('throttled')), /^HTTP\/1\.1 503 (?:.*\r\n)*Retry-After: 30\r\n/],
    [
      'another place',
      worldOf({ decide: () => ({ kind: 'redirect', how: 'device', to: 'https://mail.example.org' }) }),
      /^HTTP\/1\.1 451 Redirect\r\n(?:.*\r\n)*X-MS-Location: https:\/\/mail\.example\.org\/Microsoft-Server-ActiveSync\r\n/,
    ],
    [
      'another place, while nothing is proved',
      worldOf({ deferred: true, decide: () => ({ kind: 'redirect', how: 'device', to: 'https://mail.example.org' }) }),
      /^HTTP\/1\.1 503 (?!(?:.*\r\n)*X-MS-Location)/,
    ],
    [
      'too many requests',
      worldOf({ retryAfterMs: 2_500 }),
      /^HTTP\/1\.1 503 (?:.*\r\n)*Retry-After: 3\r\nX-MS-ASThrottle: CommandFrequency\r\n/,
    ],
  ])('%s', async (_, world, answer) => {
    const asked = await ask(request('POST', PLAIN), world)
    expect(asked.answer).toMatch(answer)
    expect(asked.heads).toEqual([])
  })

  test.each([
    ['too many requests', worldOf({ deferred: true, retryAfterMs: 1 })],
    ['no place', worldOf({ deferred: true, locate: 'none' })],
    ['a query that says nothing', worldOf({ deferred: true }), EAS],
  ])('%s leaves no sign-in without its end', async (_, world, target = PLAIN) => {
    expect((await ask(request('POST', target), world)).verdicts).toEqual(['unknown'])
  })

  test('other directories keep their own words', async () => {
    const world = {
      ...worldOf(failing('account-disabled')),
      settings: { directories: [{ preset: 'ews', auth: ['basic'] }] },
    }
    expect((await ask(request('POST', '/EWS/Exchange.asmx'), world)).answer).toMatch(/^HTTP\/1\.1 403 /)
  })
})

/** Holds each request until it is told to answer. */
class Holding {
  readonly sockets: Socket[] = []
  #wake: (() => void) | undefined

  readonly play: PlayBackend = (socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end())
    socket.on('data', () => {
      this.sockets.push(socket)
      this.#wake?.()
    })
  }

  async count(wanted: number): Promise<void> {
    while (this.sockets.length < wanted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

describe('a device has so many requests at once', () => {
  const ping = request('POST', PLAIN.replace('Cmd=Sync', 'Cmd=Ping'))

  test('one more is told to come again, and is served when one has ended', async () => {
    const backend = new Holding()
    await using front = await Front.start(backend.play, worldOf({ activeSync: { requestsAtOnce: 1 } }))
    const [first, second] = [await Client.connect(front.port), await Client.connect(front.port)]
    first.send(request('POST', PLAIN))
    await backend.count(1)
    second.send(request('POST', PLAIN))
    expect(await second.take('\r\n\r\n503 Service Unavailable\n')).toContain('Retry-After: 10\r\n')
    backend.sockets[0]?.write(OK)
    await first.take('\r\n\r\n')
    second.send(request('POST', PLAIN))
    await backend.count(2)
    backend.sockets[1]?.write(OK)
    expect(await second.take('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('the Ping that a device left behind on another network ends at both sides for the new one', async () => {
    const backend = new Holding()
    await using front = await Front.start(backend.play, worldOf({ activeSync: { requestsAtOnce: 1 } }))
    const [first, second] = [await Client.connect(front.port), await Client.connect(front.port)]
    first.send(ping)
    await backend.count(1)
    const left = new Promise((resolve) => backend.sockets[0]?.once('close', resolve))
    second.send(ping)
    await backend.count(2)
    expect(await first.toEnd()).toBe('')
    await left
    backend.sockets[1]?.write(OK)
    expect(await second.take('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('a client that goes away gives its place back', async () => {
    const backend = new Holding()
    await using front = await Front.start(
      backend.play,
      worldOf({ activeSync: { requestsAtOnce: 1 }, services: { limits: limitsSchema.parse({ halfClosed: '1s' }) } }),
    )
    const first = await Client.connect(front.port)
    first.send(request('POST', PLAIN))
    await backend.count(1)
    const left = new Promise((resolve) => backend.sockets[0]?.once('close', resolve))
    first.socket.end()
    await left
    await front.ended[0]
    const second = await Client.connect(front.port)
    second.send(request('POST', PLAIN))
    await backend.count(2)
    backend.sockets[1]?.write(OK)
    expect(await second.take('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { CredentialSource, HandshakeStep } from '@portico/auth'
import { requireServer } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { Front, type PlayBackend } from './harness.js'
import { accounts, authenticatorFor, authenticatorOver, principalOf } from './schemes-world.js'

const run = promisify(execFile)

/** A CHALLENGE_MESSAGE without a target ([MS-NLMP] section 2.2.1.2): Unicode, NTLM, extended session security, 128 and 56 bits. */
function challengeMessage(): Buffer {
  const message = Buffer.alloc(48)
  message.write('NTLMSSP\0', 'latin1')
  message.writeUInt32LE(2, 8)
  message.writeUInt32LE(48, 16)
  message.writeUInt32LE(0xa0088201, 20)
  Buffer.from('0123456789abcdef', 'hex').copy(message, 24)
  message.writeUInt32LE(48, 44)
  return message
}

/** The user name in an AUTHENTICATE_MESSAGE ([MS-NLMP] section 2.2.1.3), which has to come with a response. */
function userIn(message: Buffer): string {
  const [length, at] = [message.readUInt16LE(36), message.readUInt32LE(40)]
  expect(message.readUInt16LE(20)).toBeGreaterThan(23)
  return message.subarray(at, at + length).toString('utf16le')
}

/** Believes whoever answers its challenge: the client is what is tested. */
function believing(steps: number[]): CredentialSource {
  return {
    name: 'site',
    serves: new Set(['verify-plain']),
    accepts: new Set(['NTLM'] as const),
    verify: async () => ({ kind: 'rejected', reason: 'invalid-credentials' }),
    accept: () => ({
      async step(token): Promise<HandshakeStep> {
        const message = Buffer.from(token)
        steps.push(message.readUInt32LE(8))
        if (message[8] === 1) return { kind: 'challenge', data: challengeMessage() }
        const user = userIn(message)
        return {
          kind: 'complete',
          claimed: user,
          judge: async () => ({ kind: 'accepted', principal: principalOf(user, 'NTLM') }),
        }
      },
      async [Symbol.asyncDispose]() {},
    }),
    async [Symbol.asyncDispose]() {},
  }
}

/** Takes requests with their bodies, and tells the user of each with its body. */
function recording(requests: string[]): PlayBackend {
  return (socket) => {
    let pending = ''
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1')
      const head = pending.indexOf('\r\n\r\n') + 4
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(pending)?.[1] ?? 0)
      if (head < 4 || pending.length < head + length) return
      const user = /\r\nX-User: (.*)\r\n/.exec(pending)?.[1]
      requests.push(`${pending.slice(0, pending.indexOf(' HTTP'))} of ${user}: ${pending.slice(head, head + length)}`)
      pending = ''
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    })
  }
}

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '60', '--noproxy', '*', ...args])
  return stdout
}

describe.skipIf(requireServer('curl') !== undefined)('curl', () => {
  const world = {
    settings: { directories: [{ mount: '/', auth: ['negotiate', 'ntlm', 'basic', 'bearer'] }] },
    identity: { kind: 'header', name: 'X-User' },
  } as const

  test.each([
    ['NTLM', '--ntlm'],
    ['the best of what it is offered', '--anyauth'],
  ])('signs in by %s once for a connection, and sends its body when it is signed in', async (_label, option) => {
    const [requests, steps]: [string[], number[]] = [[], []]
    await using front = await Front.start(recording(requests), {
      ...world,
      authenticator: authenticatorOver(believing(steps)),
    })
    const url = `http://127.0.0.1:${front.port}`
    const signIn = [option, '--user', 'kim:secret', '--data', 'the body']
    expect(await curl(...signIn, `${url}/one`, `${url}/two`)).toBe('hihi')
    expect(requests).toEqual(['POST /one of kim: the body', 'POST /two of kim: the body'])
    expect(steps).toEqual([1, 3])
  })

  test('shows a bearer token', async () => {
    const requests: string[] = []
    await using front = await Front.start(recording(requests), {
      ...world,
      authenticator: authenticatorFor(accounts({ tokens: { 'good.token': 'kim' } })),
    })
    const url = `http://127.0.0.1:${front.port}/one`
    expect(await curl('--oauth2-bearer', 'good.token', url)).toBe('hi')
    expect(await curl('--oauth2-bearer', 'bad.token', '--write-out', '%{http_code}', url)).toMatch(/401$/)
    expect(requests).toEqual(['GET /one of kim: '])
  })
})

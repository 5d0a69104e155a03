// SPDX-License-Identifier: MIT
import type { AuthContext, Authenticated } from '@portico/auth'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { SignedIn } from '../src/sign-in/signed-in.js'
import { answering, BASIC, Client, Front } from './harness.js'

function from(address: string): AuthContext {
  const client = { peer: { address, port: 1, family: 4 } }
  return { client } as unknown as AuthContext
}

const HERE = from('192.0.2.1')

function outcome(deferred = false): Authenticated {
  return { kind: 'authenticated', deferred, principal: { user: 'alice' }, settle: async () => {} } as never
}

function remembering(deferred = false) {
  const clock = createFakeClock()
  const signedIn = new SignedIn(clock)
  const accepted = outcome(deferred)
  signedIn.remember('Basic YQ==', HERE, accepted)
  return { clock, signedIn, accepted }
}

describe('a connection that is signed in', () => {
  test('takes the same credentials for five seconds without asking again, and then asks', async () => {
    const { clock, signedIn, accepted } = remembering()
    await clock.advance(4_999)
    expect(signedIn.recall('Basic YQ==', HERE)).toBe(accepted)
    await clock.advance(1)
    expect(signedIn.recall('Basic YQ==', HERE)).toBeUndefined()
    expect(signedIn.isKnown('Basic YQ==', HERE)).toBe(true)
  })

  test.each([
    ['other credentials', 'Basic Yg==', HERE],
    ['another client behind the same balancer', 'Basic YQ==', from('192.0.2.2')],
  ])('asks for %s', (_label, authorization, context) => {
    const { signedIn } = remembering()
    expect(signedIn.recall(authorization, context)).toBeUndefined()
    expect(signedIn.isKnown(authorization, context)).toBe(false)
  })

  test('remembers nothing that the backend has yet to decide', () => {
    const { signedIn } = remembering(true)
    expect(signedIn.recall('Basic YQ==', HERE)).toBeUndefined()
  })

  test('remembers nothing once somebody was refused on it', () => {
    const { signedIn } = remembering()
    signedIn.forget()
    expect(signedIn.isKnown('Basic YQ==', HERE)).toBe(false)
  })

  test('serves request after request with one sign-in, and a wrong password in between is looked at', async () => {
    const asked: string[] = []
    const login = (user: string, password: string) => {
      asked.push(password)
      return password === 'wrong'
        ? ({ kind: 'failed', reason: 'invalid-credentials', waitMs: 0, user } as const)
        : undefined
    }
    await using front = await Front.start(
      answering([], () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
      { login },
    )
    const client = await Client.connect(front.port)
    const wrong = `Authorization: Basic ${Buffer.from('alice:wrong').toString('base64')}`
    for (const [authorization, status] of [
      [BASIC, '200'],
      [BASIC, '200'],
      [wrong, '401'],
      [BASIC, '200'],
    ] as const) {
      client.send('GET / HTTP/1.1', 'Host: x', authorization, '', '')
      expect(await client.take(status === '200' ? 'hi' : '401 Unauthorized\n')).toContain(`HTTP/1.1 ${status} `)
    }
    expect(asked).toHaveLength(3)
    expect(asked[1]).toBe('wrong')
  })
})

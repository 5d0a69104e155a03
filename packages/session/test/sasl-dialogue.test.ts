// SPDX-License-Identifier: MIT
import type { Attempt, AuthContext, AuthOutcome } from '@portico/auth'
import { CancellationSource } from '@portico/base'
import { describe, expect, it } from 'vitest'
import { authenticateSasl, decodeBase64, type SaslWire, type Session } from '../src/index.js'

describe('base64 of a client', () => {
  it.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
    ['YWJjZA', undefined],
    ['YQ=', undefined],
    ['YR==', undefined],
    ['YQ==\n', undefined],
    [' YQ==', undefined],
    ['Y Q=', undefined],
    ['YWJ-', undefined],
    ['=AAA', undefined],
    ['====', undefined],
  ])('%j (RFC 4648 section 3.5)', (text, decoded) => {
    expect(decodeBase64(text)?.toString()).toBe(decoded)
  })
})

const done: AuthOutcome = { kind: 'failed', reason: 'invalid-credentials', waitMs: 0 }

/** A session whose mechanism notes what it is given and asks `challenges` times. */
function setUp(challenges: number) {
  const seen: (string | undefined)[] = []
  let disposed = 0
  const attempt: Attempt = {
    async step(response) {
      seen.push(response === undefined ? undefined : Buffer.from(response).toString())
      return seen.length <= challenges ? { kind: 'challenge', data: Buffer.from(`c${seen.length}`) } : done
    },
    async [Symbol.asyncDispose]() {
      disposed++
    },
  }
  const session = {
    services: { authenticator: { begin: () => attempt } },
    signal: new CancellationSource(),
    record: { begin() {}, finish() {} },
  } as unknown as Session
  return { session, seen, disposed: () => disposed }
}

type Line = Awaited<ReturnType<SaslWire['response']>>

function wireOf(...lines: Line[]) {
  const challenges: string[] = []
  const wire: SaslWire = {
    challenge: (text) => challenges.push(text),
    response: async () => lines.shift() ?? { kind: 'gone' },
  }
  return { wire, challenges }
}

const context = {} as AuthContext
const line = (text: string): Line => ({ kind: 'line', text })

describe('a SASL dialogue', () => {
  it.each([
    ['absent', undefined, [undefined, 'x']],
    ['empty, written = (RFC 4954 section 4)', '=', ['', 'x']],
    ['given', 'YQ==', ['a', 'x']],
  ])('with an initial response that is %s', async (_, initial, expected) => {
    const { session, seen, disposed } = setUp(1)
    const { wire, challenges } = wireOf(line('eA=='))
    expect(await authenticateSasl(session, 'X', initial, wire, context)).toBe(done)
    expect(seen).toEqual(expected)
    expect(challenges).toEqual(['YzE='])
    expect(disposed()).toBe(1)
  })

  it.each<[string, Line, object]>([
    ['a cancelled exchange', line('*'), { kind: 'failed', reason: 'aborted' }],
    ['a line that is no base64', line('a*b'), { kind: 'failed', reason: 'malformed' }],
    ['a lone = in a continuation, where it is no base64', line('='), { kind: 'failed', reason: 'malformed' }],
    ['a line over the limit', { kind: 'too-long' }, { kind: 'failed', reason: 'too-long' }],
    ['a client that has left', { kind: 'gone' }, { kind: 'gone' }],
  ])('%s ends without another step', async (_, answer, expected) => {
    const { session, seen, disposed } = setUp(9)
    const { wire } = wireOf(answer)
    expect(await authenticateSasl(session, 'X', undefined, wire, context)).toMatchObject(expected)
    expect(seen).toEqual([undefined])
    expect(disposed()).toBe(1)
  })

  it('a bad initial response never reaches the mechanism', async () => {
    const { session, seen, disposed } = setUp(1)
    const { wire } = wireOf()
    const outcome = await authenticateSasl(session, 'X', 'no base64!', wire, context)
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'malformed' })
    expect(seen).toEqual([])
    expect(disposed()).toBe(1)
  })
})

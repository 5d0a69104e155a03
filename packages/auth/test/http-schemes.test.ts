// SPDX-License-Identifier: MIT
import {
  type AuthOutcome,
  accessRulesSchema,
  authSchema,
  type CredentialAnswer,
  type CredentialSource,
  createAccessRules,
  createAuthenticator,
  createNaming,
  createThrottle,
  createUsersFileSource,
  type HandshakeStep,
  type HandshakeVerdict,
  HTTP_SCHEMES,
  type HttpScheme,
  type TokenRequest,
} from '@portico/auth'
import { CancellationSource, NEVER, type Principal } from '@portico/base'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

const OVER_HTTP = (address = '192.0.2.7', more = {}) =>
  contextAt(address, { client: clientAt(address, { protocol: 'http', ...more }) })

const KIM: Principal = {
  authcid: 'kim',
  user: 'kim',
  mechanism: 'BEARER',
  strength: 'token',
  proof: {},
  source: 'site',
  epoch: '1',
  fields: new Map(),
}

type Answer = Exclude<CredentialAnswer, { kind: 'deferred' }>

/** A source of tokens. */
function tokens(answer: (token: string) => Answer | Promise<Answer>): CredentialSource & { asked: TokenRequest[] } {
  const asked: TokenRequest[] = []
  return {
    name: 'site',
    asked,
    serves: new Set(['verify-token']),
    verify: async () => ({ kind: 'not-here' }),
    async verifyToken(request) {
      asked.push(request)
      return answer(request.token.expose())
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A source that can be the server of handshakes. */
function acceptor(step: (token: Buffer) => HandshakeStep | Promise<HandshakeStep>) {
  const made = { begun: 0, ended: 0 }
  const source: CredentialSource = {
    name: 'site',
    serves: new Set(),
    accepts: new Set(['NTLM'] as const),
    verify: async () => ({ kind: 'not-here' }),
    accept() {
      made.begun += 1
      return {
        step: async (token) => step(Buffer.from(token)),
        async [Symbol.asyncDispose]() {
          made.ended += 1
        },
      }
    },
    async [Symbol.asyncDispose]() {},
  }
  return { source, made }
}

function complete(verdict: HandshakeVerdict, claimed?: string): HandshakeStep {
  return { kind: 'complete', judge: async () => verdict, ...(claimed === undefined ? {} : { claimed }) }
}

const ACCEPTED: HandshakeVerdict = { kind: 'accepted', principal: { ...KIM, mechanism: 'NTLM', strength: 'proof' } }
const WRONG: HandshakeVerdict = { kind: 'rejected', reason: 'invalid-credentials' }

function setUp(sources: readonly CredentialSource[], rules: readonly object[] = [], limits: object = {}) {
  const [clock, log] = [createFakeClock(), recordingLog()]
  const settings = authSchema.parse({ failuresPerUserAndAddress: 3, failuresPerAddress: 20, ...limits })
  const auth = createAuthenticator({
    sources,
    mechanisms: [],
    throttle: createThrottle({ settings, state: createMemoryStore({ clock }), clock }),
    naming: createNaming(settings.names),
    accessRules: createAccessRules(accessRulesSchema(['http']).parse(rules), {}),
    clock,
    log,
  })
  const bearer = (token: string, context = OVER_HTTP()) => auth.bearer(token, context, NEVER)
  const ntlm = (...messages: string[]) => shake(auth.handshake('NTLM', OVER_HTTP(), NEVER), messages)
  return { auth, log, bearer, ntlm }
}

/** What the last of the messages brings. */
async function shake(
  attempt: ReturnType<ReturnType<typeof setUp>['auth']['handshake']>,
  messages: readonly string[],
): Promise<Awaited<ReturnType<typeof attempt.step>>> {
  await using running = attempt
  let step = await running.step(Buffer.from(messages[0] ?? ''))
  for (const message of messages.slice(1)) step = await running.step(Buffer.from(message))
  return step
}

function whoIs(outcome: AuthOutcome): unknown {
  return outcome.kind === 'failed' ? outcome.reason : outcome.principal.user
}

describe('the schemes of HTTP', () => {
  const file = () => createUsersFileSource(memoryUsersFile('kim:{PLAIN}secret\n'), { hashThreads })

  test.each([
    ['passwords', [file()], ['BASIC', 'FORMS']],
    ['tokens', [tokens(() => ({ kind: 'not-here' }))], ['BEARER']],
    ['handshakes', [acceptor(() => ({ kind: 'malformed' })).source], ['NTLM']],
  ])('are those that a source serves: %s', (_label, sources, served) => {
    const { auth, log } = setUp(sources)
    const context = OVER_HTTP()
    expect(HTTP_SCHEMES.filter((scheme) => auth.schemeAllowed(scheme, context))).toEqual(served)
    for (const scheme of HTTP_SCHEMES) {
      expect(auth.refuseScheme(scheme, context)).toBe(served.includes(scheme) ? undefined : 'mechanism-unavailable')
    }
    expect(log.lines).toEqual([])
  })

  test('are none without encryption, whatever they show', () => {
    const { auth } = setUp([
      file(),
      tokens(() => ({ kind: 'not-here' })),
      acceptor(() => ({ kind: 'malformed' })).source,
    ])
    const channel = { encrypted: false, channelBinding: () => undefined }
    const plain = { ...OVER_HTTP('192.0.2.7', { encrypted: false }), channel }
    for (const scheme of HTTP_SCHEMES) {
      expect(auth.schemeAllowed(scheme, plain)).toBe(false)
      expect(auth.refuseScheme(scheme, plain)).toBe('encryption-required')
    }
  })

  test.each(['BASIC', 'FORMS', 'BEARER', 'NTLM'] as const satisfies HttpScheme[])(
    'are taken away by a rule that names them: %s, with a line for each attempt',
    async (scheme) => {
      const sources = [
        file(),
        tokens(() => ({ kind: 'accepted', principal: KIM })),
        acceptor(() => complete(ACCEPTED)).source,
      ]
      const { auth, log, bearer, ntlm } = setUp(sources, [{ name: 'no', mechanisms: [scheme], action: 'deny' }])
      const left = HTTP_SCHEMES.filter((one) => auth.schemeAllowed(one, OVER_HTTP()))
      expect(left).toEqual(['BASIC', 'FORMS', 'BEARER', 'NTLM'].filter((one) => one !== scheme))
      expect(log.lines).toEqual([])
      const outcomes = {
        BASIC: () => auth.login({ user: 'kim', password: 'secret', scheme: 'BASIC' }, OVER_HTTP(), NEVER),
        FORMS: () => auth.login({ user: 'kim', password: 'secret', scheme: 'FORMS' }, OVER_HTTP(), NEVER),
        BEARER: () => bearer('t'),
        NTLM: async () => {
          const step = await ntlm('3')
          return step.kind === 'outcome' ? step.outcome : Promise.reject(new Error('a challenge'))
        },
      }
      for (const [name, ask] of Object.entries(outcomes)) {
        expect(whoIs(await ask())).toBe(name === scheme ? 'network-refused' : 'kim')
      }
      expect(log.lines.filter((line) => line.includes('"rule":"no"'))).toHaveLength(1)
    },
  )
})

describe('a bearer token (RFC 6750)', () => {
  test('is its owner, who can show it to a backend', async () => {
    const { bearer, log } = setUp([tokens(() => ({ kind: 'accepted', principal: KIM }))])
    const outcome = await bearer('the.token')
    expect(outcome).toMatchObject({
      kind: 'authenticated',
      deferred: false,
      principal: { user: 'kim', source: 'site' },
    })
    expect(outcome.kind === 'authenticated' && outcome.principal.proof.token?.expose()).toBe('the.token')
    expect(log.lines).toEqual([expect.stringMatching(/^signed in .*"user":"kim".*"mechanism":"BEARER"/s)])
  })

  test('is in no line of the log, neither good nor bad', async () => {
    const { bearer, log } = setUp([
      tokens((token) => (token.startsWith('good') ? { kind: 'accepted', principal: KIM } : WRONG)),
    ])
    await bearer('good-token-of-kim')
    await bearer('wrong-token-of-kim')
    expect(log.lines).toHaveLength(2)
    for (const line of log.lines) expect(line).not.toMatch(/token-of-kim/)
  })

  test.each([
    ['a wrong one', { kind: 'rejected', reason: 'invalid-credentials' }, 'invalid-credentials'],
    ['an expired one', { kind: 'rejected', reason: 'password-expired' }, 'password-expired'],
    ['one for something else', { kind: 'rejected', reason: 'unauthorized-identity' }, 'unauthorized-identity'],
    ['one that nobody knows', { kind: 'not-here' }, 'invalid-credentials'],
    ['one whose source is away', { kind: 'unavailable' }, 'lookup-unavailable'],
  ] as const)('%s fails as %s', async (_label, answer, reason) => {
    const { bearer } = setUp([tokens(() => answer)])
    expect(whoIs(await bearer('x'))).toBe(reason)
  })

  test('is asked of one source after the other, and one that throws ends the chain', async () => {
    const [first, second] = [tokens(() => ({ kind: 'not-here' })), tokens(() => ({ kind: 'accepted', principal: KIM }))]
    expect(whoIs(await setUp([first, second]).bearer('x'))).toBe('kim')
    const broken = tokens(() => Promise.reject(new Error('away')))
    expect(whoIs(await setUp([broken, second]).bearer('x'))).toBe('lookup-unavailable')
  })

  test('that is shown again and again counts once; many different ones are throttled by their address', async () => {
    const source = tokens(() => WRONG as Answer)
    const { bearer } = setUp([source])
    for (let i = 0; i < 5; i++) expect(whoIs(await bearer('old'))).toBe('invalid-credentials')
    for (let i = 0; i < 19; i++) expect(whoIs(await bearer(`guess${i}`))).toBe('invalid-credentials')
    expect(whoIs(await bearer('guess'))).toBe('throttled')
    expect(whoIs(await bearer('guess', OVER_HTTP('198.51.100.1')))).toBe('invalid-credentials')
  })

  test('that has expired counts for nobody: every client has one an hour', async () => {
    const { bearer } = setUp([tokens(() => ({ kind: 'rejected', reason: 'password-expired' }))])
    for (let i = 0; i < 30; i++) expect(whoIs(await bearer(`t${i}`))).toBe('password-expired')
  })

  test('of somebody whom a rule keeps out is refused after the proof', async () => {
    const { bearer } = setUp(
      [tokens(() => ({ kind: 'accepted', principal: KIM }))],
      [{ name: 'not-kim', users: ['kim'], action: 'deny' }],
    )
    expect(whoIs(await bearer('x'))).toBe('network-refused')
  })
})

describe('a handshake', () => {
  test('goes from challenge to outcome, with the last octets for the client', async () => {
    const { source, made } = acceptor((token) =>
      token.toString() === '1'
        ? { kind: 'challenge', data: Buffer.from('2') }
        : complete({ ...ACCEPTED, last: Buffer.from('end') }, 'kim'),
    )
    const { ntlm, log } = setUp([source])
    expect(await ntlm('1')).toEqual({ kind: 'challenge', data: Buffer.from('2') })
    const step = await ntlm('1', '3')
    expect(step).toMatchObject({ kind: 'outcome', outcome: { principal: { user: 'kim' } }, last: Buffer.from('end') })
    expect(made).toEqual({ begun: 2, ended: 2 })
    expect(log.lines).toEqual([expect.stringMatching(/^signed in .*"user":"kim".*"mechanism":"NTLM"/s)])
  })

  test('whose name guesses is throttled like any other, before it is judged', async () => {
    let judged = 0
    const { source } = acceptor(() => ({
      kind: 'complete',
      claimed: 'kim',
      async judge() {
        judged += 1
        return WRONG
      },
    }))
    const { auth, ntlm } = setUp([source])
    const reasons: unknown[] = []
    for (let i = 0; i < 5; i++) {
      const step = await ntlm('3')
      reasons.push(step.kind === 'outcome' && whoIs(step.outcome))
    }
    expect(reasons).toEqual([...Array(3).fill('invalid-credentials'), 'throttled', 'throttled'])
    expect(judged).toBe(3)
    const elsewhere = await shake(auth.handshake('NTLM', OVER_HTTP('198.51.100.1'), NEVER), ['3'])
    expect(elsewhere).toMatchObject({ outcome: { reason: 'invalid-credentials' } })
  })

  test('without a name has nothing to guess: each connection counts for itself, and all for their address', async () => {
    const { source } = acceptor(() => complete(WRONG))
    const { auth } = setUp([source])
    const reasons: unknown[] = []
    for (let i = 0; i < 21; i++) {
      const context = OVER_HTTP('192.0.2.7', { sessionId: `s${i}` })
      const step = await shake(auth.handshake('NTLM', context, NEVER), ['3'])
      reasons.push(step.kind === 'outcome' && whoIs(step.outcome))
    }
    expect(reasons).toEqual([...Array(20).fill('invalid-credentials'), 'throttled'])
  })

  test.each([
    ['cannot be read', () => ({ kind: 'malformed' }) as const, 'malformed'],
    ['throws', () => Promise.reject(new Error('away')), 'lookup-unavailable'],
    ['is judged by nobody', () => complete({ kind: 'unavailable' }, 'kim'), 'lookup-unavailable'],
    [
      'throws while it is judged',
      () => ({ kind: 'complete', judge: () => Promise.reject(new Error('away')) }) as const,
      'lookup-unavailable',
    ],
  ])('that %s fails', async (_label, step, reason) => {
    const { ntlm } = setUp([acceptor(step).source])
    expect(await ntlm('1')).toMatchObject({ outcome: { reason } })
  })

  test('without octets, or without end, is none', async () => {
    const { ntlm } = setUp([acceptor(() => ({ kind: 'challenge', data: Buffer.from('2') })).source])
    expect(await ntlm('')).toMatchObject({ outcome: { reason: 'malformed' } })
    expect(await ntlm(...Array(6).fill('1'))).toMatchObject({ kind: 'challenge' })
    expect(await ntlm(...Array(7).fill('1'))).toMatchObject({ outcome: { reason: 'malformed' } })
  })

  test('that nobody can be the server of fails at its first step', async () => {
    const { auth } = setUp([acceptor(() => complete(ACCEPTED)).source])
    const step = await shake(auth.handshake('NEGOTIATE', OVER_HTTP(), NEVER), ['x'])
    expect(step).toMatchObject({ outcome: { reason: 'mechanism-unavailable' } })
  })

  test('ends with its session', async () => {
    const signal = new CancellationSource()
    const { source } = acceptor(async () => {
      signal.abort('closed')
      return complete(ACCEPTED)
    })
    const { auth, log } = setUp([source])
    const step = await shake(auth.handshake('NTLM', OVER_HTTP(), signal), ['x'])
    expect(step).toMatchObject({ outcome: { reason: 'aborted' } })
    expect(log.lines).toEqual([])
  })
})

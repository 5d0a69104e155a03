// SPDX-License-Identifier: MIT
import { inspect } from 'node:util'
import type { CredentialAnswer, CredentialRequest, CredentialSource } from '@portico/auth'
import { CancellationSource, NEVER, Secret } from '@portico/base'
import { describe, expect, test } from 'vitest'

/** A source that is ready to be asked, and what the suite may take for granted about it. */
export interface SourceUnderTest {
  readonly source: CredentialSource
  readonly known: { readonly user: string; readonly password: string }
  /** `accepted`: it proves; `deferred`: it leaves that to the backend and knows everybody. */
  readonly proves: 'accepted' | 'deferred'
  /** What it says of a name that it does not know. */
  readonly unknownUser: 'not-here' | 'rejected' | 'deferred'
  /** Makes what it depends on go away, so that it cannot answer any more. Absent: it depends on nothing that could. */
  readonly goAway?: () => Promise<void> | void
  /** Ends what was started for it. */
  readonly close?: () => Promise<void> | void
}

/** What every {@link CredentialSource} must keep. */
export function credentialSourceCompliance(name: string, make: () => Promise<SourceUnderTest>): void {
  const withSource = async (use: (under: SourceUnderTest) => Promise<void>): Promise<void> => {
    const under = await make()
    try {
      await use(under)
    } finally {
      await under.source[Symbol.asyncDispose]()
      await under.close?.()
    }
  }

  describe(`credential source: ${name}`, () => {
    test('the right password gives a principal with its name, mechanism, source and proof', () =>
      withSource(async ({ source, known, proves }) => {
        const answer = await source.verify(requestOf(known), NEVER)
        expect(answer.kind).toBe(proves)
        const { principal } = answer as CredentialAnswer & { kind: 'accepted' }
        expect(principal).toMatchObject({ authcid: known.user, mechanism: 'PLAIN', source: source.name })
        expect(principal.user).not.toBe('')
        expect(principal.proof.password?.expose()).toBe(known.password)
      }))

    test('a wrong password is no principal', () =>
      withSource(async ({ source, known, proves }) => {
        const answer = await source.verify(requestOf({ ...known, password: `${known.password}x` }), NEVER)
        if (proves === 'deferred') expect(answer.kind).toBe('deferred')
        else expect(answer).toMatchObject({ kind: 'rejected', reason: 'invalid-credentials' })
      }))

    test('an empty password is no principal', () =>
      withSource(async ({ source, known }) => {
        const answer = await source.verify(requestOf({ ...known, password: '' }), NEVER)
        expect(answer.kind).toBe('rejected')
      }))

    test('an unknown name is told apart only where another source may know it, and then costs the same work', () =>
      withSource(async ({ source, known, unknownUser }) => {
        const request = requestOf({ ...known, user: 'nobody-of-that-name' })
        expect((await source.verify(request, NEVER)).kind).toBe(unknownUser)
        if (unknownUser === 'not-here') expect(source.unknownUserWork).toBeTypeOf('function')
        expect(await source.unknownUserWork?.(request, NEVER)).toBeUndefined()
      }))

    test('a source that cannot answer says so, for the known and the unknown', () =>
      withSource(async ({ source, known, goAway }) => {
        if (goAway === undefined) return
        await goAway()
        for (const user of [known.user, 'nobody-of-that-name']) {
          expect((await source.verify(requestOf({ ...known, user }), NEVER)).kind).toBe('unavailable')
        }
      }))

    test('a cancelled question settles, and leaves the listener slot free', () =>
      withSource(async ({ source, known }) => {
        const signal = new CancellationSource()
        const pending = source.verify(requestOf(known), signal)
        signal.abort('closed')
        expect(await pending).toBeDefined()
        expect(await source.verify(requestOf(known), signal)).toBeDefined()
        expect(signal.onAbort).toBeUndefined()
      }))

    test('questions at the same time get their own answers', () =>
      withSource(async ({ source, known, proves }) => {
        const wrong = { ...known, password: 'certainly wrong' }
        const answers = await Promise.all(
          [known, wrong, known, wrong].map((one) => source.verify(requestOf(one), NEVER)),
        )
        const refusal = proves === 'deferred' ? 'deferred' : 'rejected'
        expect(answers.map((answer) => answer.kind)).toEqual([proves, refusal, proves, refusal])
      }))

    test('no answer prints the password', () =>
      withSource(async ({ source, known, goAway }) => {
        const secret = { ...known, password: 'ought-not-to-be-seen' }
        const answers = [await source.verify(requestOf(known), NEVER), await source.verify(requestOf(secret), NEVER)]
        await goAway?.()
        answers.push(await source.verify(requestOf(secret), NEVER))
        const printed = inspect(answers, { depth: 20 }) + JSON.stringify(answers)
        expect(printed).not.toContain(known.password)
        expect(printed).not.toContain(secret.password)
      }))

    test('an account that was proved goes on without a proof, and as nobody else', () =>
      withSource(async ({ source, known, proves }) => {
        if (source.account === undefined) return
        const answer = await source.verify(requestOf(known), NEVER)
        const { principal } = answer as CredentialAnswer & { kind: 'accepted' }
        const earlier = { ...principal, password: new Secret(known.password) }
        const now = await source.account({ ...requestOf(known), authcid: principal.user, earlier }, NEVER)
        expect(now).toMatchObject({ kind: proves, principal: { user: principal.user, epoch: principal.epoch } })
      }))

    test('an account that another source has proved is not its own to vouch for', () =>
      withSource(async ({ source, known }) => {
        if (source.account === undefined) return
        const answer = await source.verify(requestOf(known), NEVER)
        const { principal } = answer as CredentialAnswer & { kind: 'accepted' }
        const earlier = { ...principal, source: 'another', password: new Secret(known.password) }
        const now = await source.account({ ...requestOf(known), authcid: principal.user, earlier }, NEVER)
        expect(['not-here', 'rejected']).toContain(now.kind)
      }))

    test('disposal may come twice', () =>
      withSource(async ({ source }) => {
        await source[Symbol.asyncDispose]()
      }))
  })
}

function requestOf({ user, password }: { readonly user: string; readonly password: string }): CredentialRequest {
  return {
    authcid: user,
    password: new Secret(password),
    mechanism: 'PLAIN',
    client: {
      protocol: 'imap4',
      sessionId: 's1',
      peer: { address: '192.0.2.7', port: 40_000, family: 4 },
      local: { address: '192.0.2.1', port: 993, family: 4 },
      networks: [],
      encrypted: true,
      tlsVersion: 'TLSv1.3',
    },
    attempt: 1,
  }
}

// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { type Backend, BackendError, CancellationSource, type Principal, systemClock } from '@portico/base'
import type { Acquired, LoanRequest } from '@portico/pool'
import type { Decision, LocateAnswer } from '@portico/routing'
import { SessionRecord, silentLog } from '@portico/telemetry'
import { describe, expect, it } from 'vitest'
import { type BackendLogin, findRoute, openMailbox, type PreAuth, type Session, signInToMailbox } from '../src/index.js'

const principal = { user: 'alice', mechanism: 'PLAIN' } as Principal
const backend = (id: string) => ({ id }) as Backend
const ended = (id: string) => new BackendError({ code: 'closed', backend: id, phase: 'login' })
const trouble = (id: string) => new BackendError({ code: 'refused', backend: id, phase: 'connect' })

interface World {
  readonly located?: LocateAnswer
  readonly decision?: Decision
  readonly acquired?: Readonly<Record<string, 'lease' | 'failed'>>
  /** Connections lie ready. */
  readonly kept?: boolean
  /** Where redirections lead. */
  readonly followed?: string
}

/** A session in a world where look-ups, decisions and pools answer as told; `log` notes what was done. */
function worldOf({ located, decision, acquired = {}, kept = false, followed }: World) {
  const log: string[] = []
  const asked: string[] = []
  const signal = new CancellationSource()
  const session = {
    id: 's1',
    protocol: 'imap4',
    networks: [],
    leg: { tls: undefined },
    hops: 0,
    signal,
    record: new SessionRecord({
      id: 's1',
      protocol: 'imap4',
      listener: 'l',
      client: { address: '127.0.0.1', port: 1, family: 4 },
      networks: [],
      clock: systemClock,
    }),
    services: {
      limits: { openBackend: 30_000, backendLogin: 20_000 },
      log: { ...silentLog, error: (message: string) => log.push(`error: ${message}`) },
      wheel: { add: () => ({ cancel: () => log.push('limit cancelled') }) },
      states: () => new Map(),
      locator: {
        locate: async () => located ?? { kind: 'found', location: { group: 'g', source: 'test' } },
      },
      router: {
        decide: () => decision ?? { kind: 'proxy', candidates: [backend('one'), backend('two')] },
        follow: (): Decision =>
          followed === undefined
            ? { kind: 'refuse', reason: 'backend-unavailable' }
            : { kind: 'proxy', candidates: [{ ...backend(followed), group: 'elsewhere' }] },
      },
      pool: {
        async acquire({ id }: Backend, _signal: unknown, { wait, fresh }: LoanRequest): Promise<Acquired> {
          asked.push(`${id}${fresh === true ? ' fresh' : ''}${wait === false ? '' : ' waits'}`)
          if (acquired[id] === 'failed') return { kind: 'failed', error: trouble(id) }
          const lease = {
            leg: { setDeadline() {} },
            kept: kept && fresh !== true,
            backend: backend(id),
            discard: () => log.push(`discard ${id}`),
          }
          return { kind: 'lease', lease } as unknown as Acquired
        },
      },
    },
  } as unknown as Session
  return { session, asked, log, signal }
}

function loginOf(deferred: boolean) {
  const verdicts: string[] = []
  const authenticated: Authenticated = {
    kind: 'authenticated',
    principal,
    deferred,
    settle: async (verdict) => void verdicts.push(verdict),
  }
  return { authenticated, verdicts }
}

describe('the walk', () => {
  it.each<[string, World, object]>([
    [
      'a look-up that is away refuses, and nobody else is asked',
      { located: { kind: 'unavailable' } },
      { reason: 'lookup-unavailable' },
    ],
    ['nobody has the mailbox', { located: { kind: 'none' } }, { reason: 'no-mailbox' }],
    [
      'the router refuses',
      { decision: { kind: 'refuse', reason: 'draining' } },
      { kind: 'refuse', reason: 'draining' },
    ],
    [
      'the router redirects',
      { decision: { kind: 'redirect', how: 'referral', to: 'imap://there/' } },
      { kind: 'redirect', to: 'imap://there/' },
    ],
  ])('%s', async (_, world, expected) => {
    expect(await findRoute(worldOf(world).session, principal)).toMatchObject(expected)
  })

  it('tries the next candidate while the client is unanswered', async () => {
    const { session, log } = worldOf({ acquired: { one: 'failed' } })
    const { authenticated, verdicts } = loginOf(false)
    const opened = await openMailbox(session, authenticated, async (lease) => ({
      kind: 'open',
      welcome: lease.backend.id,
    }))
    expect(opened).toMatchObject({ kind: 'open', welcome: 'two' })
    expect(session.record.backend).toBe('two')
    expect(verdicts).toEqual(['accepted'])
    expect(log).toEqual(['limit cancelled'])
  })

  it('a login that broke discards its lease and tries the next', async () => {
    const { session, log } = worldOf({})
    const opened = await openMailbox(session, loginOf(false).authenticated, async ({ backend: { id } }) =>
      id === 'one' ? { kind: 'failed', error: trouble(id) } : { kind: 'open', welcome: id },
    )
    expect(opened).toMatchObject({ kind: 'open', welcome: 'two' })
    expect(log).toEqual(['discard one', 'limit cancelled'])
  })

  it('a kept connection that is gone costs one more try at the same backend, on a fresh one, and no more', async () => {
    const { session, asked, log } = worldOf({ kept: true })
    const opened = await openMailbox(session, loginOf(false).authenticated, async ({ backend: { id }, kept }) =>
      kept ? { kind: 'failed', error: ended(id) } : { kind: 'open', welcome: id },
    )
    expect(opened).toMatchObject({ kind: 'open', welcome: 'one' })
    expect(asked).toEqual(['one', 'one fresh'])
    expect(log).toEqual(['discard one', 'limit cancelled'])
  })

  it('a fresh connection makes the client wait for a place at the last candidate only', async () => {
    const { session, asked } = worldOf({ kept: true })
    await openMailbox(session, loginOf(false).authenticated, async ({ backend: { id } }) => ({
      kind: 'failed',
      error: ended(id),
    }))
    expect(asked).toEqual(['one', 'one fresh', 'two waits', 'two fresh waits'])
  })

  it.each<[string, boolean, BackendError, readonly string[]]>([
    ['a kept one that was answered with trouble', true, trouble('one'), ['one', 'two']],
    ['a fresh one that ended', false, ended('one'), ['one', 'two']],
    ['kept ones that end and whose successors end', true, ended('one'), ['one', 'one fresh', 'two', 'two fresh']],
  ])('%s: the next candidate', async (_, kept, error, expected) => {
    const { session, asked } = worldOf({ kept })
    await openMailbox(session, loginOf(false).authenticated, async () => ({ kind: 'failed', error }))
    expect(asked.map((word) => word.replace(' waits', ''))).toEqual(expected)
  })

  it('only the last candidate makes the client wait for a place', async () => {
    const { session, asked } = worldOf({ acquired: { one: 'failed', two: 'failed' } })
    await openMailbox(session, loginOf(false).authenticated, async () => ({ kind: 'open', welcome: 0 }))
    expect(asked).toEqual(['one', 'two waits'])
  })

  it('a redirection counts as a hop while it is followed, and leaves no trace in the session', async () => {
    const { session, asked } = worldOf({ followed: 'three' })
    const hops: number[] = []
    const opened = await openMailbox(session, loginOf(false).authenticated, async ({ backend: { id } }, location) => {
      hops.push(session.hops)
      if (id === 'one') return { kind: 'referred', to: { host: 'three.example', port: undefined } }
      return { kind: 'open', welcome: location.group }
    })
    expect(opened).toMatchObject({ kind: 'open', welcome: 'elsewhere' })
    expect([asked, hops, session.hops]).toEqual([['one', 'three'], [0, 1], 0])
  })

  it('backends that refer to each other are asked once each, and then the rest', async () => {
    const { session, asked } = worldOf({ followed: 'one' })
    const opened = await openMailbox(session, loginOf(false).authenticated, async () => ({
      kind: 'referred',
      to: { host: 'one.example', port: 143 },
    }))
    expect(opened).toMatchObject({ kind: 'refused', reason: 'backend-unavailable' })
    expect(asked).toEqual(['one', 'two waits'])
  })

  it('a bug in the login, or in what learns of its verdict, keeps no lease', async () => {
    const { session, log } = worldOf({})
    const { authenticated } = loginOf(false)
    const broken = async () => {
      throw new Error('planted bug')
    }
    await expect(openMailbox(session, authenticated, broken)).rejects.toThrow('planted bug')
    const unsettled = { ...authenticated, settle: broken }
    await expect(openMailbox(session, unsettled, async () => ({ kind: 'open', welcome: 0 }))).rejects.toThrow(
      'planted bug',
    )
    expect(log).toEqual(['discard one', 'limit cancelled', 'limit cancelled', 'discard one'])
    expect(session.signal.onAbort).toBeUndefined()
  })

  it.each([
    [false, { kind: 'redirect', to: 'there' }],
    [true, { kind: 'refused', reason: 'backend-unavailable' }],
  ])('sends elsewhere only who has proved who they are (deferred: %s)', async (deferred, expected) => {
    const { session } = worldOf({ decision: { kind: 'redirect', how: 'referral', to: 'there' } })
    const { authenticated, verdicts } = loginOf(deferred)
    expect(await openMailbox(session, authenticated, async () => ({ kind: 'open', welcome: 0 }))).toEqual(expected)
    expect(verdicts).toEqual(['unknown'])
  })

  it('says unavailable when no candidate opened', async () => {
    const { session } = worldOf({ acquired: { one: 'failed', two: 'failed' } })
    const { authenticated, verdicts } = loginOf(true)
    const opened = await openMailbox(session, authenticated, async () => ({ kind: 'open', welcome: 0 }))
    expect(opened).toMatchObject({ kind: 'refused', reason: 'backend-unavailable' })
    expect(verdicts).toEqual(['unknown'])
  })

  it.each([
    [true, 'invalid-credentials', 0],
    [false, 'backend-unavailable', 1],
  ])('a backend that refuses the credentials (deferred: %s) means %s', async (deferred, reason, errors) => {
    const { session, log } = worldOf({})
    const { authenticated, verdicts } = loginOf(deferred)
    const asked: string[] = []
    const opened = await openMailbox(session, authenticated, async (lease): Promise<BackendLogin<never>> => {
      asked.push(lease.backend.id)
      return { kind: 'refused', reason: 'invalid-credentials' }
    })
    expect(opened).toMatchObject({ kind: 'refused', reason })
    expect(asked).toEqual(['one'])
    expect(verdicts).toEqual(['refused'])
    expect(log.filter((line) => line.startsWith('error'))).toHaveLength(errors)
  })

  it('a client that leaves meanwhile ends it: the lease is discarded, nobody is answered', async () => {
    const { session, signal, log } = worldOf({})
    const opened = await openMailbox(session, loginOf(true).authenticated, async (lease) => {
      signal.abort('closed')
      return { kind: 'open', welcome: lease.backend.id }
    })
    expect(opened).toEqual({ kind: 'gone' })
    expect(log).toEqual(['discard one', 'limit cancelled'])
  })
})

it('a sign-in that the node refuses because it leaves ends the session, whose last line says why', async () => {
  const { session } = worldOf({ decision: { kind: 'refuse', reason: 'draining' } })
  const written: string[] = []
  const context = { session, dialogue: { write: (text: string) => written.push(text) }, failures: 0 }
  const ended = await signInToMailbox<undefined>(context as unknown as PreAuth, loginOf(false).authenticated, {
    login: async () => ({ kind: 'open', welcome: undefined }),
    welcome: () => 'welcome',
    failure: () => 'failure',
    elsewhere: () => undefined,
  })
  expect([ended, written]).toEqual([{ kind: 'ended', ended: 'draining' }, []])
})

// SPDX-License-Identifier: MIT
import { type AccessRule, authSchema, createAuthenticator, createThrottle, createUsersFileSource } from '@portico/auth'
import { NEVER, networksOf } from '@portico/base'
import { serverMechanisms } from '@portico/sasl'
import { createMemoryStore } from '@portico/state'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { clientAt, contextAt, hashThreads, memoryUsersFile, recordingLog } from './helpers.js'

function setUp(settings: object = {}, accessRules: readonly AccessRule[] = []) {
  const clock = createFakeClock()
  const log = recordingLog()
  const auth = createAuthenticator({
    sources: [createUsersFileSource(memoryUsersFile('alice:{PLAIN}secret::::::\n'), { hashThreads })],
    mechanisms: serverMechanisms,
    throttle: createThrottle({ settings: authSchema.parse(settings), state: createMemoryStore({ clock }), clock }),
    accessRules,
    clock,
    log,
  })
  return { auth, clock, log }
}

function rule(more: Partial<AccessRule>): AccessRule {
  const all = { networks: undefined, exceptNetworks: undefined, protocols: undefined, mechanisms: undefined }
  return { name: 'outside', ...all, users: undefined, exceptUsers: undefined, action: 'deny', ...more }
}

describe('what is served without a sign-in is not served to everybody', () => {
  test('to nobody without encryption where passwords need it', async () => {
    const { auth } = setUp()
    const client = clientAt(undefined, { encrypted: false })
    const plain = contextAt(undefined, { client, channel: { encrypted: false, channelBinding: () => undefined } })
    expect(await auth.refuseStranger(plain)).toMatchObject({ reason: 'encryption-required' })
    expect(await auth.refuseStranger(contextAt())).toBeUndefined()
  })

  test('to nobody whom a rule keeps out, whoever they are and however they would sign in', async () => {
    const networks = networksOf(['192.0.2.0/24'])
    const { auth, log } = setUp({}, [rule({ networks })])
    expect(await auth.refuseStranger(contextAt())).toMatchObject({ reason: 'network-refused' })
    expect(await auth.refuseStranger(contextAt('198.51.100.7'))).toBeUndefined()
    expect(log.lines.join()).toContain('"mechanism":"NONE"')
  })

  test('a rule about a mechanism or a user is none about who has neither', async () => {
    const { auth } = setUp({}, [rule({ mechanisms: new Set(['BASIC']) }), rule({ users: ['bob'] })])
    expect(await auth.refuseStranger(contextAt())).toBeUndefined()
  })

  test('to nobody whose address has failed too often, there or at sign-ins, until the window ends', async () => {
    const { auth, clock } = setUp({ failuresPerAddress: 3 })
    await auth.login({ user: 'alice', password: 'wrong' }, contextAt(), NEVER)
    await auth.strangerRefused(contextAt())
    expect(await auth.refuseStranger(contextAt())).toBeUndefined()
    await auth.strangerRefused(contextAt())
    expect(await auth.refuseStranger(contextAt())).toMatchObject({ reason: 'throttled', waitMs: 15_000 })
    expect(await auth.refuseStranger(contextAt('198.51.100.7'))).toBeUndefined()
    expect(await auth.login({ user: 'alice', password: 'secret' }, contextAt(), NEVER)).toMatchObject({
      reason: 'throttled',
    })
    await clock.advance(600_000)
    expect(await auth.refuseStranger(contextAt())).toBeUndefined()
  })

  test('where nothing is held back, it is refused all the same', async () => {
    const { auth } = setUp({ failuresPerAddress: 1, delays: ['0s'] })
    await auth.strangerRefused(contextAt())
    expect(await auth.refuseStranger(contextAt())).toMatchObject({ reason: 'throttled', waitMs: 0 })
  })

  test('clients of exempt networks are counted per user only, so that one without a user is not', async () => {
    const { auth } = setUp({ failuresPerAddress: 1, exemptNetworks: ['webmail'] })
    const context = contextAt(undefined, { client: clientAt(undefined, { networks: ['webmail'] }) })
    await auth.strangerRefused(context)
    expect(await auth.refuseStranger(context)).toBeUndefined()
    expect(await auth.refuseStranger(contextAt())).toBeUndefined()
  })
})

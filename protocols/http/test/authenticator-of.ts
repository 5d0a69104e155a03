// SPDX-License-Identifier: MIT
import type { Authenticator, AuthOutcome } from '@portico/auth'
import { type Principal, Secret } from '@portico/base'
import type { World } from './harness.js'

/** Knows Alice and her password, and what else the world says; `verdicts` gets what became of each sign-in. */
export function authenticatorOf(world: World, verdicts: string[]): Authenticator {
  return {
    mechanisms: () => [],
    plaintextAllowed: () => world.encrypted ?? true,
    accountOf: (name) => name,
    refusePlaintext: () => ((world.encrypted ?? true) ? undefined : 'encryption-required'),
    schemeAllowed: () => world.encrypted ?? true,
    refuseScheme: () => ((world.encrypted ?? true) ? undefined : 'encryption-required'),
    bearer: async () => ({ kind: 'failed', reason: 'mechanism-unavailable', waitMs: 0 }),
    handshake: () => {
      throw new Error('no handshake in this world')
    },
    refuseStranger: async () => {
      if (world.encrypted === false) return { kind: 'failed', reason: 'encryption-required', waitMs: 0 }
      return verdicts.length < (world.mostRefused ?? 100)
        ? undefined
        : { kind: 'failed', reason: 'throttled', waitMs: 45_000 }
    },
    strangerRefused: async () => void verdicts.push('stranger refused'),
    async resume({ user, mechanism, password }): Promise<AuthOutcome> {
      const decided = world.resume?.(user)
      if (decided !== undefined) return decided
      const proof = password === undefined ? {} : { password }
      const principal = { ...principalOf(user, '', mechanism), proof }
      return { kind: 'authenticated', principal, deferred: false, settle: async () => {} }
    },
    mayActFor: ({ user }, mailbox) => user === mailbox || world.mayActFor?.(user, mailbox) === true,
    mayUse: async ({ user }, protocol) => world.mayUse?.(user, protocol) !== false,
    begin: () => {
      throw new Error('no SASL on this wire')
    },
    async login({ user, password, scheme = 'BASIC' }): Promise<AuthOutcome> {
      const decided = world.login?.(user, password)
      if (decided !== undefined) return decided
      if (user !== 'alice' || password !== 'secret')
        return { kind: 'failed', reason: 'invalid-credentials', waitMs: 0, user }
      const settle = async (verdict: string) => void verdicts.push(verdict)
      return {
        kind: 'authenticated',
        principal: principalOf(user, password, scheme),
        deferred: world.deferred ?? false,
        settle,
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

function principalOf(user: string, password: string, mechanism: string): Principal {
  return {
    authcid: user,
    user,
    mechanism,
    strength: 'plain',
    proof: { password: new Secret(password) },
    source: 'test',
    epoch: '1',
    fields: new Map(),
  }
}

// SPDX-License-Identifier: MIT
import { createHmac, randomBytes } from 'node:crypto'
import type { Clock, Secret } from '@portico/base'
import { createBounded } from './bounded.js'
import type { Verdict } from './hash/scheme.js'

/** Whose secret is to be proved, and where. */
export interface ProofQuestion {
  readonly source: string
  /** Canonical name. */
  readonly user: string
  readonly mechanism: string
  readonly password: Secret<string>
  /** Epoch of the account now: what was proved under another one does not count and is forgotten. */
  readonly epoch: string
}

/** Remembers for a short while what was proved, so that a client with many connections costs one hash, not one each. */
export interface AuthCache {
  /**
   * Answers from memory, joins an equal check that is running, or runs `verify`; that too when the other was given up. Only proofs are remembered: a remembered refusal
   * would tell known users from unknown ones by its speed.
   */
  prove(question: ProofQuestion, verify: () => Promise<Verdict>): Promise<Verdict>
  readonly size: number
}

export interface AuthCacheSettings {
  /** How long a proof counts. 0 remembers nothing. */
  readonly ttl: number
  /** Most proofs remembered. */
  readonly entries: number
}

/**
 * Keys are HMAC-SHA-256 over source, canonical user, mechanism and secret, under a key that lives as long as the process: a dump
 * of the cache gives no password away and cannot be used in another process.
 */
export function createAuthCache(settings: AuthCacheSettings, clock: Clock): AuthCache {
  const key = randomBytes(32)
  const proved =
    settings.ttl === 0 ? undefined : createBounded<string>({ max: settings.entries, ttlMs: settings.ttl, clock })
  const running = new Map<string, Promise<Verdict>>()

  const run = async (id: string, epoch: string, verify: () => Promise<Verdict>): Promise<Verdict> => {
    try {
      const result = await verify()
      if (result === true) proved?.set(id, epoch)
      return result
    } finally {
      running.delete(`${id}${epoch}`)
    }
  }
  return {
    prove(question, verify) {
      const id = identify(key, question)
      const { epoch } = question
      const known = proved?.get(id)
      if (known === epoch) return Promise.resolve(true)
      if (known !== undefined) proved?.delete(id)
      const joined = running.get(`${id}${epoch}`)
      if (joined !== undefined) return joined.then((verdict) => verdict ?? run(id, epoch, verify))
      const flight = run(id, epoch, verify)
      running.set(`${id}${epoch}`, flight)
      return flight
    },
    get size() {
      return proved?.size ?? 0
    },
  }
}

/** JSON keeps the borders between the parts. */
function identify(key: Uint8Array, { source, user, mechanism, password }: ProofQuestion): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([source, user, mechanism, password.expose()]))
    .digest('base64url')
}

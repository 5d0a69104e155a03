// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Clock, ProtocolName } from '@portico/base'
import { type Exchange, type Mechanism, saslprep } from '@portico/sasl'
import type { Log } from '@portico/telemetry'
import { createAudit } from './audit.js'
import type { Attempt, AuthContext, Authenticator, AuthFailed, AuthOutcome } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { BY_FINGERPRINT, type CertificatePolicy } from './certificate-names.js'
import { isLoopback } from './client-address.js'
import type { CredentialSource } from './credential-source.js'
import { type ActingPolicy, createDecision, type DecisionParts } from './decision.js'
import { createOffer } from './offer.js'
import { createRunner } from './run-mechanism.js'
import type { Throttle } from './throttle.js'

export interface AuthenticatorOptions {
  /** Asked in this order. Disposed together with the authenticator. */
  readonly sources: readonly CredentialSource[]
  /** Strongest first. */
  readonly mechanisms: readonly Mechanism[]
  readonly throttle: Throttle
  /** Absent: every proof is made anew. */
  readonly cache?: AuthCache
  /** Who may act for somebody else (authzid); nobody when absent. */
  readonly mayActFor?: ActingPolicy
  /**
   * Which accounts have to be able to use a mechanism that asks for what is stored before it is offered. `every` (the default):
   * all of them, because a client takes the strongest and seldom tries another; `any`: one will do, because the site names it.
   */
  readonly proofsOf?: 'every' | 'any'
  /** Protocols whose backends take passwords only: mechanisms that leave none are of no use there. */
  readonly passwordProtocols?: ReadonlySet<ProtocolName>
  /** The account that ANONYMOUS acts as; nobody when absent. */
  readonly anonymousUser?: string
  /** How client certificates become accounts; by their fingerprints when absent. */
  readonly certificates?: CertificatePolicy
  readonly clock: Clock
  readonly log: Log
}

/** The auth core. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { sources } = options
  const parts = partsOf(options)
  const decide = createDecision(parts)
  const runner = createRunner(parts, decide, options.anonymousUser)
  const offer = createOffer(options)
  const servesPlain = sources.some((source) => source.serves.has('verify-plain'))
  const offeredOn = (context: AuthContext): readonly string[] =>
    offer(context, passwordsAllowed(context)).map(({ name }) => name)
  return {
    mechanisms: offeredOn,
    plaintextAllowed: (context) => servesPlain && passwordsAllowed(context),
    begin(name, context, signal) {
      const mechanism = offer(context, true).find((candidate) => candidate.name === name.toUpperCase())
      if (mechanism === undefined) return failingAttempt('mechanism-unavailable')
      if (mechanism.sendsPasswordInClear && !passwordsAllowed(context)) return failingAttempt('encryption-required')
      const { exchange, decided } = runner(mechanism, context, offeredOn(context), signal)
      return attemptOf(exchange, decided)
    },
    async login({ mechanism, user, password }, context, signal) {
      if (!passwordsAllowed(context)) return failed('encryption-required')
      if (!servesPlain) return failed('mechanism-unavailable')
      const authcid = isWellFormed(user) && isWellFormed(password) ? saslprep(user) : undefined
      if (!authcid || !saslprep(password)) return failed('invalid-credentials')
      return decide({ mechanism, authcid, authzid: undefined, password }, context, signal)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source[Symbol.asyncDispose]()))
    },
  }
}

function partsOf(options: AuthenticatorOptions): DecisionParts {
  const { sources, throttle, cache, certificates = BY_FINGERPRINT, clock, log } = options
  const mayActFor = options.mayActFor ?? (() => false)
  return { sources, throttle, cache, audit: createAudit(log), mayActFor, certificates, clock }
}

function passwordsAllowed({ client, channel, plaintextPasswords }: AuthContext): boolean {
  if (client.encrypted || channel.encrypted || plaintextPasswords === 'always') return true
  return plaintextPasswords === 'loopback' && isLoopback(client.peer) && isLoopback(client.local)
}

/** Lone surrogates cannot be written as UTF-8, so that nobody could have such a name or password. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text) && Buffer.byteLength(text) <= 1024
}

function attemptOf(exchange: Exchange, decided: () => AuthOutcome | undefined): Attempt {
  return {
    async step(response) {
      const step = await exchange.step(response)
      if (step.kind === 'challenge') return step
      const outcome = decided()
      if (step.kind === 'failure') return outcome?.kind === 'failed' ? outcome : failed(step.reason)
      // A mechanism that says yes without having asked its verifier has proved nothing.
      return outcome?.kind === 'authenticated' ? outcome : failed('mechanism-unavailable')
    },
    [Symbol.asyncDispose]: () => exchange[Symbol.asyncDispose](),
  }
}

function failingAttempt(reason: AuthFailureReason): Attempt {
  return { step: async () => failed(reason), async [Symbol.asyncDispose]() {} }
}

function failed(reason: AuthFailureReason): AuthFailed {
  return { kind: 'failed', reason, waitMs: 0 }
}

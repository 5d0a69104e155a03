// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Cancellation, Clock } from '@portico/base'
import { type Exchange, type Mechanism, saslprep } from '@portico/sasl'
import type { Log } from '@portico/telemetry'
import { createAudit } from './audit.js'
import type { Attempt, AuthContext, Authenticator, AuthFailed, AuthOutcome } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { isLoopback } from './client-address.js'
import type { CredentialSource } from './credential-source.js'
import { type ActingPolicy, createDecision, type Decide } from './decision.js'
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
  readonly clock: Clock
  readonly log: Log
}

/** The auth core. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { sources } = options
  const decide = decisionOf(options)
  const served = options.mechanisms.filter(({ needs }) => canServe(sources, needs))
  const everywhere = served.map((mechanism) => mechanism.name)
  const withoutPasswords = served.filter((mechanism) => !mechanism.sendsPasswordInClear).map(({ name }) => name)
  const servesPlain = canServe(sources, 'verify-plain')
  return {
    mechanisms: (context) => (passwordsAllowed(context) ? everywhere : withoutPasswords),
    plaintextAllowed: (context) => servesPlain && passwordsAllowed(context),
    begin(name, context, signal) {
      const mechanism = served.find((candidate) => candidate.name === name.toUpperCase())
      if (mechanism === undefined) return failingAttempt('mechanism-unavailable')
      if (mechanism.sendsPasswordInClear && !passwordsAllowed(context)) return failingAttempt('encryption-required')
      return runMechanism(mechanism, decide, context, signal)
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

function decisionOf(options: AuthenticatorOptions): Decide {
  const { sources, throttle, cache, clock, log } = options
  const mayActFor = options.mayActFor ?? (() => false)
  return createDecision({ sources, throttle, cache, audit: createAudit(log), mayActFor, clock })
}

/** An acceptor (GSSAPI, NTLM against a domain) brings its own verifier. */
function canServe(sources: readonly CredentialSource[], needs: Mechanism['needs']): boolean {
  return needs === 'nothing' || needs === 'acceptor' || sources.some((source) => source.serves.has(needs))
}

function passwordsAllowed({ client, channel, plaintextPasswords }: AuthContext): boolean {
  if (client.encrypted || channel.encrypted || plaintextPasswords === 'always') return true
  return plaintextPasswords === 'loopback' && isLoopback(client.peer) && isLoopback(client.local)
}

/** Lone surrogates cannot be written as UTF-8, so that nobody could have such a name or password. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text) && Buffer.byteLength(text) <= 1024
}

function runMechanism(mechanism: Mechanism, decide: Decide, context: AuthContext, signal: Cancellation): Attempt {
  let outcome: AuthOutcome | undefined
  const exchange = mechanism.begin({
    verifier: {
      async verifyPlain(credentials, verifySignal) {
        outcome = await decide({ mechanism: mechanism.name, ...credentials }, context, verifySignal)
        return outcome.kind === 'authenticated' ? { kind: 'accepted' } : { kind: 'rejected', reason: outcome.reason }
      },
    },
    channel: context.channel,
    ...(context.clientCertificate === undefined ? {} : { clientCertificate: context.clientCertificate }),
    localName: context.localName,
    signal,
  })
  return attemptOf(exchange, () => outcome)
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

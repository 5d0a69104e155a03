// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Clock, ProtocolName } from '@portico/base'
import { MAX_FIELD_OCTETS, type Mechanism, refusalOf, saslprep } from '@portico/sasl'
import type { Log } from '@portico/telemetry'
import { createAccess, plainLoginOf } from './access.js'
import type { AccessRule } from './access-rules.js'
import type { ActingPolicy } from './acting.js'
import { createAudit } from './audit.js'
import type { Attempt, AuthContext, Authenticator, AuthFailed } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { BY_FINGERPRINT, type CertificatePolicy } from './certificate-names.js'
import { isLoopback } from './client-address.js'
import type { CredentialSource } from './credential-source.js'
import { createDecision, type DecisionParts } from './decision.js'
import { createNaming, type Naming } from './naming.js'
import { createOffer } from './offer.js'
import { createRunner, type Running } from './run-mechanism.js'
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
  /** How presented names become those of accounts; as they stand when absent, but for a mailbox that they ask for. */
  readonly naming?: Naming
  /** In their order; everybody may sign in when absent. */
  readonly accessRules?: readonly AccessRule[]
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
  const denies = (context: AuthContext, mechanism: string) => parts.access(context, mechanism).kind === 'deny'
  const offeredOn = (context: AuthContext): readonly string[] =>
    offer(context, passwordsAllowed(context))
      .filter(({ name }) => !denies(context, name))
      .map(({ name }) => name)
  const refuseByRule = (context: AuthContext, mechanism: string): 'network-refused' | undefined => {
    const access = parts.access(context, mechanism)
    if (access.kind !== 'deny') return undefined
    const { rule } = access
    parts.audit.refused({ mechanism, client: context.client, reason: 'network-refused', waitMs: 0, rule })
    return 'network-refused'
  }
  const refusePlaintext = (context: AuthContext): AuthFailureReason | undefined => {
    if (!passwordsAllowed(context)) return 'encryption-required'
    return servesPlain ? refuseByRule(context, plainLoginOf(context)) : 'mechanism-unavailable'
  }
  return {
    mechanisms: offeredOn,
    plaintextAllowed: (context) => servesPlain && passwordsAllowed(context) && !denies(context, plainLoginOf(context)),
    refusePlaintext,
    begin(name, context, signal) {
      const mechanism = offer(context, true).find((candidate) => candidate.name === name.toUpperCase())
      if (mechanism === undefined) return failingAttempt('mechanism-unavailable')
      if (mechanism.sendsPasswordInClear && !passwordsAllowed(context)) return failingAttempt('encryption-required')
      const refused = refuseByRule(context, mechanism.name)
      if (refused !== undefined) return failingAttempt(refused)
      return attemptOf(runner(mechanism, context, offeredOn(context), signal))
    },
    async login({ mechanism, user, password }, context, signal) {
      const refused = refusePlaintext(context)
      if (refused !== undefined) return failed(refused)
      if (isTooLong(user) || isTooLong(password)) return failed('too-long')
      const unusable = refusalOf(user) ?? refusalOf(password)
      const authcid = unusable === undefined ? saslprep(user) : undefined
      if (authcid === undefined) return failed(unusable ?? 'invalid-credentials')
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
  const naming = options.naming ?? createNaming({ domains: {}, domain: 'keep' })
  const access = createAccess(options.accessRules ?? [])
  return { sources, throttle, cache, audit: createAudit(log), naming, access, mayActFor, certificates, clock }
}

function passwordsAllowed({ client, channel, plaintextPasswords }: AuthContext): boolean {
  if (client.encrypted || channel.encrypted || plaintextPasswords === 'always') return true
  return plaintextPasswords === 'loopback' && isLoopback(client.peer) && isLoopback(client.local)
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_FIELD_OCTETS
}

function attemptOf({ exchange, decided, left }: Running): Attempt {
  return {
    async step(response) {
      const step = await exchange.step(response)
      if (step.kind === 'challenge') return step
      const outcome = decided()
      if (step.kind === 'failure') return outcome?.kind === 'failed' ? outcome : failed(step.reason)
      // A mechanism that says yes without having asked its verifier has proved nothing.
      return outcome?.kind === 'authenticated' ? outcome : failed('mechanism-unavailable')
    },
    async [Symbol.asyncDispose]() {
      await exchange[Symbol.asyncDispose]()
      await left()
    },
  }
}

function failingAttempt(reason: AuthFailureReason): Attempt {
  return { step: async () => failed(reason), async [Symbol.asyncDispose]() {} }
}

function failed(reason: AuthFailureReason): AuthFailed {
  return { kind: 'failed', reason, waitMs: 0 }
}

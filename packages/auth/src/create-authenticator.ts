// SPDX-License-Identifier: MIT
import { type AuthFailureReason, type Clock, isLoopback, type Principal, type ProtocolName } from '@portico/base'
import { MAX_FIELD_OCTETS, type Mechanism, refusalOf, saslprep } from '@portico/sasl'
import type { Log } from '@portico/telemetry'
import { createAccess, type HttpScheme, NO_SIGN_IN, PLAIN_LOGIN } from './access.js'
import type { AccessRule } from './access-rules.js'
import type { ActingPolicy } from './acting.js'
import { createAudit } from './audit.js'
import type { Attempt, AuthContext, Authenticator, AuthFailed } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { BY_FINGERPRINT, type CertificatePolicy } from './certificate-names.js'
import type { CredentialSource } from './credential-source.js'
import { createHandshakes, failingHandshake } from './decide-handshake.js'
import { createTokenDecision } from './decide-token.js'
import { createDecision, type DecisionParts } from './decision.js'
import { accountOf } from './identity.js'
import { createNaming, type Naming } from './naming.js'
import { createOffer } from './offer.js'
import { createPermission } from './permission.js'
import { createResume } from './resume.js'
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
  const serves = (way: HttpScheme | typeof PLAIN_LOGIN): boolean => sources.some((source) => canServe(source, way))
  // Whatever a way of HTTP shows, what it opens is not for an unencrypted leg: neither is what binds to the connection.
  const refuse = (way: HttpScheme | typeof PLAIN_LOGIN, context: AuthContext): AuthFailureReason | undefined => {
    if (!passwordsAllowed(context)) return 'encryption-required'
    return serves(way) ? refuseByRule(context, way) : 'mechanism-unavailable'
  }
  const allowed = (way: HttpScheme | typeof PLAIN_LOGIN, context: AuthContext): boolean =>
    passwordsAllowed(context) && serves(way) && !denies(context, way)
  const decideToken = createTokenDecision(parts)
  const handshakes = createHandshakes(parts)
  return {
    mechanisms: offeredOn,
    plaintextAllowed: (context) => allowed(PLAIN_LOGIN, context),
    refusePlaintext: (context) => refuse(PLAIN_LOGIN, context),
    schemeAllowed: allowed,
    refuseScheme: refuse,
    async refuseStranger(context) {
      if (!passwordsAllowed(context)) return failed('encryption-required')
      const refused = refuseByRule(context, NO_SIGN_IN)
      if (refused !== undefined) return failed(refused)
      const waitMs = await parts.throttle.waitOf(context.client)
      return waitMs === undefined ? undefined : { kind: 'failed', reason: 'throttled', waitMs }
    },
    strangerRefused: ({ client }) => parts.throttle.abandoned({ client, user: '' }),
    accountOf: (name) => accountOf(sources, parts.naming(saslprep(name) ?? name, undefined).authcid),
    begin(name, context, signal) {
      const mechanism = offer(context, true).find((candidate) => candidate.name === name.toUpperCase())
      if (mechanism === undefined) return failingAttempt('mechanism-unavailable')
      if (mechanism.sendsPasswordInClear && !passwordsAllowed(context)) return failingAttempt('encryption-required')
      const refused = refuseByRule(context, mechanism.name)
      if (refused !== undefined) return failingAttempt(refused)
      return attemptOf(runner(mechanism, context, offeredOn(context), signal))
    },
    async login({ user, password, scheme: mechanism = PLAIN_LOGIN }, context, signal) {
      const refused = refuse(mechanism, context)
      if (refused !== undefined) return failed(refused)
      if (isTooLong(user) || isTooLong(password)) return failed('too-long')
      const unusable = refusalOf(user) ?? refusalOf(password)
      const authcid = unusable === undefined ? saslprep(user) : undefined
      if (authcid === undefined) return failed(unusable ?? 'invalid-credentials')
      return decide({ mechanism, authcid, authzid: undefined, password }, context, signal)
    },
    async bearer(token, context, signal) {
      const refused = refuse('BEARER', context)
      return refused === undefined ? decideToken(token, context, signal) : failed(refused)
    },
    handshake(scheme, context, signal) {
      const refused = refuse(scheme, context)
      return refused === undefined ? handshakes(scheme, context, signal) : failingHandshake(refused)
    },
    resume: createResume(parts),
    mayActFor: (principal, mailbox) => mayOpen(parts, principal, mailbox),
    mayUse: createPermission(
      parts,
      options.mechanisms.map(({ name }) => name),
    ),
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

function canServe({ serves, accepts }: CredentialSource, way: HttpScheme | typeof PLAIN_LOGIN): boolean {
  if (way === 'BEARER') return serves.has('verify-token')
  return way === 'NEGOTIATE' || way === 'NTLM' ? accepts?.has(way) === true : serves.has('verify-plain')
}

/** Somebody who acts for somebody else may do what they may themselves, and be in the mailbox where they are. */
function mayOpen({ sources, naming, mayActFor }: DecisionParts, principal: Principal, mailbox: string): boolean {
  const name = isTooLong(mailbox) ? undefined : saslprep(mailbox)
  if (name === undefined) return false
  const { authcid, authzid } = naming(name, undefined)
  // `user@domain/mailbox` names two.
  if (authzid !== undefined) return false
  const account = accountOf(sources, authcid)
  if (account.toLowerCase() === principal.user.toLowerCase()) return true
  return mayActFor({ ...principal, user: principal.delegate ?? principal.user }, account)
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

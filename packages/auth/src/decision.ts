// SPDX-License-Identifier: MIT
import { randomUUID } from 'node:crypto'
import { type Cancellation, type Clock, type Principal, Secret } from '@portico/base'
import type { CertificateFacts, SecretKind, StoredSecret } from '@portico/sasl'
import type { Access } from './access.js'
import type { ActingPolicy } from './acting.js'
import type { Audit } from './audit.js'
import type { AuthContext, AuthFailed, AuthOutcome } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { type CertificatePolicy, namesOf } from './certificate-names.js'
import { askForOwner, askForSecret, askSources, type ChainAnswer } from './chain.js'
import type { CredentialRequest, CredentialSource } from './credential-source.js'
import { accountOf, identify } from './identity.js'
import type { Naming } from './naming.js'
import { pause } from './pause.js'
import type { Suspect, Throttle } from './throttle.js'

/** Who somebody says to be. */
export interface Claim {
  readonly mechanism: string
  readonly authcid: string
  readonly authzid: string | undefined
  /** Asks for two mailboxes at once. */
  readonly contradictory?: boolean
}

/** One shown password, prepared and not empty. */
export interface ShownSecret extends Claim {
  readonly password: string
}

/** Turns a shown password into the outcome of a sign-in: throttle, sources in order, identity, audit. */
export type Decide = (shown: ShownSecret, context: AuthContext, signal: Cancellation) => Promise<AuthOutcome>

/** Begins a sign-in whose proof is yet to come. */
export type OpenProof = (
  claim: Claim & { readonly secret: SecretKind },
  context: AuthContext,
  signal: Cancellation,
) => Promise<OpenedProof>

export type OpenedProof =
  | {
      readonly kind: 'opened'
      readonly secret: StoredSecret
      /** Once. Throttle, identity and audit as for a shown password. */
      conclude(proved: boolean): Promise<AuthOutcome>
      /** Instead: the exchange has ended without a proof. */
      abandon(): Promise<AuthFailed>
    }
  | {
      readonly kind: 'judge'
      /** The same, where a source judges the response itself. */
      judge(challenge: string, response: string): Promise<AuthOutcome>
    }
  | AuthFailed

export interface DecisionParts {
  readonly sources: readonly CredentialSource[]
  readonly throttle: Throttle
  readonly cache: AuthCache | undefined
  readonly audit: Audit
  readonly naming: Naming
  readonly access: Access
  readonly mayActFor: ActingPolicy
  readonly certificates: CertificatePolicy
  readonly clock: Clock
}

export function createDecision(parts: DecisionParts): Decide {
  return async (written, context, signal) => {
    const shown = { ...written, ...parts.naming(written.authcid, written.authzid) }
    const suspect = { client: context.client, user: accountOf(parts.sources, shown.authcid) }
    const admission = await parts.throttle.admit(suspect, signal)
    if (signal.aborted) return { kind: 'failed', reason: 'aborted', waitMs: 0, user: shown.authcid }
    if (admission.kind === 'throttled') {
      return throttled(parts, shown, context, admission.waitMs)
    }
    const { failures, done } = admission
    let outcome: AuthOutcome | undefined
    try {
      const request = { ...requestOf(shown, context, parts.cache), share: parts.throttle.shareOf(suspect) }
      const answer = await askSources(parts.sources, request, signal)
      if (signal.aborted) return await abandoned(parts, suspect, shown, signal)
      const { password } = request
      outcome = await conclude(parts, { claim: shown, context, suspect, failures, password, signal, done }, answer)
      return outcome
    } finally {
      // A deferred attempt goes on until the backend has spoken.
      if (outcome?.kind !== 'authenticated' || !outcome.deferred) done()
    }
  }
}

/**
 * The same for mechanisms that ask for what is stored. Admission is asked again when the proof is there, because many exchanges
 * may be open at once. A wrong proof cannot be told from an earlier one, so that each counts.
 */
export function createProofDecision(parts: DecisionParts): OpenProof {
  return async (written, context, signal) => {
    const claim = { ...written, ...parts.naming(written.authcid, written.authzid) }
    const suspect = { client: context.client, user: accountOf(parts.sources, claim.authcid) }
    const early = await parts.throttle.admit(suspect, signal)
    if (early.kind === 'throttled') return throttled(parts, claim, context, early.waitMs)
    // An open exchange is no attempt yet: one that never ends must not stand in the way of others.
    early.done()
    const { secret, ...asked } = claim
    const request = { ...factsOf(asked, context), secret, share: parts.throttle.shareOf(suspect) }
    const answer = await askForSecret(parts.sources, request, signal)
    if (signal.aborted) return abandoned(parts, suspect, claim, signal)
    if (answer.kind === 'unavailable') {
      const { source, cause } = answer
      return refuse(parts, claim, context, { reason: 'lookup-unavailable', waitMs: 0, source, cause })
    }
    const source = answer.source === undefined ? {} : { source: answer.source }
    const attempt = { claim, context, suspect, password: new Secret(randomUUID()), signal }
    if (answer.kind === 'judge') {
      const judge = async (challenge: string, response: string): Promise<ChainAnswer> => ({
        ...(await answer.judge(challenge, response, signal)),
        ...source,
      })
      return { kind: 'judge', judge: (...shown) => concludeAdmitted(parts, attempt, () => judge(...shown)) }
    }
    return {
      kind: 'opened',
      secret: answer.secret,
      async conclude(proved) {
        const verdict = proved ? answer.ifProved : ({ kind: 'rejected', reason: 'invalid-credentials' } as const)
        return concludeAdmitted(parts, attempt, async () => ({ ...verdict, ...source }))
      },
      abandon: () => abandoned(parts, suspect, claim, signal),
    }
  }
}

/** A client certificate that TLS has found good. */
export type DecideCertificate = (
  shown: { readonly mechanism: string; readonly certificate: CertificateFacts; readonly authzid: string | undefined },
  context: AuthContext,
  signal: Cancellation,
) => Promise<AuthOutcome>

/** There is nothing to guess in a certificate, but one without an account counts as a failure of its own. */
export function createCertificateDecision(parts: DecisionParts): DecideCertificate {
  return async ({ certificate, authzid, ...shown }, context, signal) => {
    const names = namesOf(certificate, parts.certificates)
    if (names === undefined) return { kind: 'failed', reason: 'invalid-credentials', waitMs: 0 }
    const meant = parts.naming('', authzid)
    const claim = { ...shown, ...meant, authcid: `certificate ${names.name ?? names.fingerprint?.slice(0, 16)}` }
    const suspect = { client: context.client, user: claim.authcid }
    const password = new Secret(names.fingerprint ?? claim.authcid)
    const attempt = { claim, context, suspect, password, signal }
    return concludeAdmitted(parts, attempt, () =>
      askForOwner(parts.sources, { ...factsOf(claim, context), names }, signal),
    )
  }
}

/** Asks the throttle, then for the answer, and concludes; such an attempt is never deferred. */
export async function concludeAdmitted(
  parts: DecisionParts,
  attempt: Omit<ProvenAttempt, 'failures' | 'done'>,
  ask: () => Promise<ChainAnswer>,
): Promise<AuthOutcome> {
  const { claim, context, suspect, signal } = attempt
  const admission = await parts.throttle.admit(suspect, signal)
  if (admission.kind === 'throttled') return throttled(parts, claim, context, admission.waitMs)
  const { failures, done } = admission
  try {
    const answer = await ask()
    if (signal.aborted) return await abandoned(parts, suspect, claim, signal)
    return await conclude(parts, { ...attempt, failures, done }, answer)
  } finally {
    done()
  }
}

/** What has been done for it was done for nothing; that is the client's doing only where the client has left. */
async function abandoned(
  { throttle }: DecisionParts,
  suspect: Suspect,
  { authcid: user }: Claim,
  { reason }: Cancellation,
): Promise<AuthFailed> {
  if (reason === undefined || reason === 'closed') await throttle.abandoned(suspect)
  return { kind: 'failed', reason: 'aborted', waitMs: 0, user }
}

function throttled(parts: DecisionParts, claim: Claim, context: AuthContext, waitMs: number): AuthFailed {
  return refuse(parts, claim, context, { reason: 'throttled', waitMs })
}

interface ProvenAttempt {
  readonly claim: Claim
  readonly context: AuthContext
  readonly suspect: Suspect
  readonly failures: number
  /** What was shown, to know the same wrong password again. */
  readonly password: Secret<string>
  readonly signal: Cancellation
  readonly done: () => void
}

async function conclude(parts: DecisionParts, attempt: ProvenAttempt, answer: ChainAnswer): Promise<AuthOutcome> {
  const { claim, context, suspect, failures, password } = attempt
  if (answer.kind === 'unavailable') {
    const { source, cause } = answer
    return refuse(parts, claim, context, { reason: 'lookup-unavailable', waitMs: 0, source, cause })
  }
  if (answer.kind === 'rejected') {
    const { reason, source } = answer
    const counted = reason === 'invalid-credentials' ? await parts.throttle.failed(suspect, password) : 0
    const waitMs = Math.max(counted, answer.waitMs ?? 0)
    return refuse(parts, claim, context, { reason, waitMs, source })
  }
  const access = parts.access(context, claim.mechanism, answer.principal.user)
  if (access.kind === 'deny') return denied(parts, attempt, answer, access.rule)
  const principal = identify(answer.principal, claim, parts)
  if (principal === undefined) {
    return refuse(parts, claim, context, {
      reason: 'unauthorized-identity',
      waitMs: 0,
      source: answer.principal.source,
    })
  }
  if (answer.kind === 'deferred') return deferred(parts, attempt, principal)
  await parts.throttle.succeeded(suspect, failures)
  parts.audit.accepted(principal, context.client, context.again)
  return { kind: 'authenticated', principal, deferred: false, settle: async () => {} }
}

/** Before the backend has seen the proof nobody is told more than of a wrong password. */
async function denied(
  parts: DecisionParts,
  { claim, context, suspect, password }: ProvenAttempt,
  { kind, principal: { source } }: Extract<ChainAnswer, { kind: 'accepted' | 'deferred' }>,
  rule: string | undefined,
): Promise<AuthFailed> {
  if (kind === 'accepted') return refuse(parts, claim, context, { reason: 'network-refused', waitMs: 0, source, rule })
  const waitMs = await parts.throttle.failed(suspect, password)
  return refuse(parts, claim, context, { reason: 'invalid-credentials', waitMs, source, rule })
}

/**
 * Nothing is proved yet. The first verdict counts: an acceptance resets the throttle, a refusal is a wrong password and is held
 * back here, because the protocol is only waiting for this promise before it answers.
 */
function deferred(parts: DecisionParts, attempt: ProvenAttempt, principal: Principal): AuthOutcome {
  const { claim, context, suspect, failures, password, signal, done } = attempt
  let settled = false
  return {
    kind: 'authenticated',
    principal,
    deferred: true,
    async settle(verdict) {
      if (settled) return
      settled = true
      if (verdict === 'accepted') {
        await parts.throttle.succeeded(suspect, failures)
        parts.audit.accepted(principal, context.client, context.again)
      } else if (verdict === 'refused') {
        const waitMs = await parts.throttle.failed(suspect, password)
        done()
        refuse(parts, claim, context, { reason: 'invalid-credentials', waitMs, source: principal.source })
        await pause(waitMs, parts.clock, signal)
      }
      done()
    },
  }
}

function requestOf(shown: ShownSecret, context: AuthContext, cache: AuthCache | undefined): CredentialRequest {
  return {
    ...factsOf(shown, context),
    password: new Secret(shown.password),
    ...(cache === undefined ? {} : { cache }),
  }
}

/** What a source is told of any attempt. */
export function factsOf(
  { authcid, authzid, mechanism }: Claim,
  context: AuthContext,
): Omit<CredentialRequest, 'password'> {
  const { client, failures } = context
  return { authcid, ...(authzid === undefined ? {} : { authzid }), mechanism, client, attempt: failures + 1 }
}

/** A refusal with its line in the log. */
export function refuse(
  parts: DecisionParts,
  claim: Claim,
  context: AuthContext,
  why: Pick<AuthFailed, 'reason' | 'waitMs'> & {
    readonly source?: string | undefined
    readonly rule?: string | undefined
    readonly cause?: unknown
  },
): AuthFailed {
  const { mechanism, authcid: user } = claim
  parts.audit.refused({ user, mechanism, client: context.client, ...why })
  return { kind: 'failed', reason: why.reason, waitMs: why.waitMs, user }
}

// SPDX-License-Identifier: MIT
import { type Cancellation, type Clock, type Principal, Secret } from '@portico/base'
import type { Audit } from './audit.js'
import type { AuthContext, AuthFailed, AuthOutcome } from './authenticator.js'
import type { AuthCache } from './cache.js'
import { askSources, type ChainAnswer } from './chain.js'
import type { CredentialRequest, CredentialSource } from './credential-source.js'
import type { Suspect, Throttle } from './throttle.js'

/** Whether somebody who has proved to be `authcid` may act for `authzid`. Names are as presented. */
export type ActingPolicy = (principal: Principal, authzid: string) => boolean

/** One shown password, prepared and not empty. */
export interface ShownSecret {
  readonly mechanism: string
  readonly authcid: string
  readonly authzid: string | undefined
  readonly password: string
}

/** Turns a shown password into the outcome of a sign-in: throttle, sources in order, identity, audit. */
export type Decide = (shown: ShownSecret, context: AuthContext, signal: Cancellation) => Promise<AuthOutcome>

export interface DecisionParts {
  readonly sources: readonly CredentialSource[]
  readonly throttle: Throttle
  readonly cache: AuthCache | undefined
  readonly audit: Audit
  readonly mayActFor: ActingPolicy
  readonly clock: Clock
}

export function createDecision(parts: DecisionParts): Decide {
  return async (shown, context, signal) => {
    const suspect = { client: context.client, user: accountOf(parts.sources, shown.authcid) }
    const admission = await parts.throttle.admit(suspect, signal)
    if (signal.aborted) return { kind: 'failed', reason: 'aborted', waitMs: 0, user: shown.authcid }
    if (admission.kind === 'throttled') {
      return refuse(parts, shown, context, { reason: 'throttled', waitMs: admission.waitMs })
    }
    const { failures, done } = admission
    let outcome: AuthOutcome | undefined
    try {
      const request = requestOf(shown, context, parts.cache)
      const answer = await askSources(parts.sources, request, signal)
      if (signal.aborted) return { kind: 'failed', reason: 'aborted', waitMs: 0, user: shown.authcid }
      outcome = await conclude(parts, { shown, context, suspect, failures, request, signal, done }, answer)
      return outcome
    } finally {
      // A deferred attempt goes on until the backend has spoken.
      if (outcome?.kind !== 'authenticated' || !outcome.deferred) done()
    }
  }
}

/** Spellings of one account share its failures, as far as a source knows them for the same. */
function accountOf(sources: readonly CredentialSource[], presented: string): string {
  for (const source of sources) {
    const account = source.canonical?.(presented)
    if (account !== undefined) return account
  }
  return presented
}

interface ProvenAttempt {
  readonly shown: ShownSecret
  readonly context: AuthContext
  readonly suspect: Suspect
  readonly failures: number
  readonly request: CredentialRequest
  readonly signal: Cancellation
  readonly done: () => void
}

async function conclude(parts: DecisionParts, attempt: ProvenAttempt, answer: ChainAnswer): Promise<AuthOutcome> {
  const { shown, context, suspect, failures, request } = attempt
  if (answer.kind === 'unavailable') {
    const { source, cause } = answer
    return refuse(parts, shown, context, { reason: 'lookup-unavailable', waitMs: 0, source, cause })
  }
  if (answer.kind === 'rejected') {
    const { reason, source } = answer
    const counted = reason === 'invalid-credentials' ? await parts.throttle.failed(suspect, request.password) : 0
    const waitMs = Math.max(counted, answer.waitMs ?? 0)
    return refuse(parts, shown, context, { reason, waitMs, source })
  }
  const principal = identify(answer.principal, shown.authzid, parts.mayActFor)
  if (principal === undefined) {
    return refuse(parts, shown, context, {
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

/**
 * Nothing is proved yet. The first verdict counts: an acceptance resets the throttle, a refusal is a wrong password and is held
 * back here, because the protocol is only waiting for this promise before it answers.
 */
function deferred(parts: DecisionParts, attempt: ProvenAttempt, principal: Principal): AuthOutcome {
  const { shown, context, suspect, failures, request, signal, done } = attempt
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
        const waitMs = await parts.throttle.failed(suspect, request.password)
        done()
        refuse(parts, shown, context, { reason: 'invalid-credentials', waitMs, source: principal.source })
        await pause(waitMs, parts.clock, signal)
      }
      done()
    },
  }
}

/** Ends early when the session does. */
function pause(ms: number, clock: Clock, signal: Cancellation): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => {
      signal.onAbort = undefined
      resolve()
    })
    signal.onAbort = () => {
      timer.cancel()
      resolve()
    }
  })
}

/** The principal as whom they act; `undefined` when they may not (RFC 4422 section 3.4.1). An account's route is not another's. */
function identify(principal: Principal, authzid: string | undefined, mayActFor: ActingPolicy): Principal | undefined {
  if (authzid === undefined) return principal
  const wanted = authzid.toLowerCase()
  if (wanted === principal.authcid.toLowerCase() || wanted === principal.user.toLowerCase()) return principal
  if (!mayActFor(principal, authzid)) return undefined
  const { route: _, ...rest } = principal
  return { ...rest, user: wanted, fields: new Map() }
}

function requestOf(shown: ShownSecret, context: AuthContext, cache: AuthCache | undefined): CredentialRequest {
  return {
    authcid: shown.authcid,
    ...(shown.authzid === undefined ? {} : { authzid: shown.authzid }),
    password: new Secret(shown.password),
    mechanism: shown.mechanism,
    client: context.client,
    attempt: context.failures + 1,
    ...(cache === undefined ? {} : { cache }),
  }
}

function refuse(
  parts: DecisionParts,
  shown: ShownSecret,
  context: AuthContext,
  why: Pick<AuthFailed, 'reason' | 'waitMs'> & { readonly source?: string | undefined; readonly cause?: unknown },
): AuthFailed {
  const { mechanism, authcid: user } = shown
  parts.audit.refused({ user, mechanism, client: context.client, ...why })
  return { kind: 'failed', reason: why.reason, waitMs: why.waitMs, user }
}

// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { CredentialVerifier, Exchange, Mechanism, VerifierAnswer } from '@portico/sasl'
import type { AuthContext, AuthOutcome } from './authenticator.js'
import {
  createCertificateDecision,
  createProofDecision,
  type Decide,
  type DecisionParts,
  type OpenedProof,
} from './decision.js'

/** An exchange, and what its verifier has decided so far. */
export interface Running {
  readonly exchange: Exchange
  readonly decided: () => AuthOutcome | undefined
  /** When the exchange is over, however it went. */
  readonly left: () => Promise<void>
}

/** Begins an exchange whose verifier is the auth core. */
export type Runner = (
  mechanism: Mechanism,
  context: AuthContext,
  offered: readonly string[],
  signal: Cancellation,
) => Running

/** `anonymousUser` is the account that ANONYMOUS acts as. */
export function createRunner(parts: DecisionParts, decide: Decide, anonymousUser: string | undefined): Runner {
  const openProof = createProofDecision(parts)
  const decideCertificate = createCertificateDecision(parts)
  return (mechanism, context, offered, signal) => {
    let outcome: AuthOutcome | undefined
    let unproved: Extract<OpenedProof, { kind: 'opened' }> | undefined
    const settle = (decided: AuthOutcome): VerifierAnswer => {
      outcome = decided
      return decided.kind === 'authenticated' ? { kind: 'accepted' } : { kind: 'rejected', reason: decided.reason }
    }
    const { name } = mechanism
    const verifier: CredentialVerifier = {
      verifyPlain: async (credentials, own) => settle(await decide({ mechanism: name, ...credentials }, context, own)),
      async lookup(question, own) {
        const opened = await openProof({ mechanism: name, ...question }, context, own)
        if (opened.kind === 'failed') {
          outcome = opened
          return { kind: 'rejected', reason: opened.reason }
        }
        if (opened.kind === 'judge') {
          return { kind: 'judge', judge: async (...shown) => settle(await opened.judge(...shown)) }
        }
        unproved = opened
        const conclude = async (proved: boolean) => {
          unproved = undefined
          return settle(await opened.conclude(proved))
        }
        return { kind: 'found', secret: opened.secret, conclude }
      },
      async verifyCertificate(shown, own) {
        outcome = await decideCertificate({ mechanism: name, ...shown }, context, own)
        if (outcome.kind === 'failed') return { kind: 'rejected', reason: outcome.reason }
        return { kind: 'accepted', authcid: outcome.principal.authcid }
      },
      anonymous: async (trace) => settle(admitAnonymous(parts, name, context, anonymousUser, trace)),
    }
    const { channel, client, localName, timestamp } = context
    const certificate = client.certificate === undefined ? {} : { clientCertificate: client.certificate }
    const greeted = timestamp === undefined ? {} : { timestamp }
    const exchange = mechanism.begin({ verifier, channel, ...certificate, localName, ...greeted, offered, signal })
    const left = async () => {
      await unproved?.abandon()
      unproved = undefined
    }
    return { exchange, decided: () => outcome, left }
  }
}

function admitAnonymous(
  { audit, access }: DecisionParts,
  mechanism: string,
  context: AuthContext,
  user: string | undefined,
  trace: string,
): AuthOutcome {
  if (user === undefined) return { kind: 'failed', reason: 'mechanism-unavailable', waitMs: 0 }
  const { client } = context
  const answer = access(context, mechanism, user)
  if (answer.kind === 'deny') {
    const failed = { reason: 'network-refused', waitMs: 0, user } as const
    audit.refused({ ...failed, mechanism, client, rule: answer.rule })
    return { kind: 'failed', ...failed }
  }
  const principal = {
    authcid: 'anonymous',
    user,
    mechanism,
    strength: 'none',
    proof: {},
    source: 'anonymous',
    epoch: '',
    fields: new Map<string, string>(),
  } as const
  audit.accepted(principal, client, false, trace)
  return { kind: 'authenticated', principal, deferred: false, settle: async () => {} }
}

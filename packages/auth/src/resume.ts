// SPDX-License-Identifier: MIT
import type { Cancellation, Principal } from '@portico/base'
import type { AuthContext, AuthOutcome, EarlierSignIn } from './authenticator.js'
import { askForAccount } from './chain.js'
import { type DecisionParts, factsOf, refuse } from './decision.js'
import { identify } from './identity.js'

/** Goes on with a sign-in that was proved before: see {@link Authenticator.resume}. */
export type Resume = (earlier: EarlierSignIn, context: AuthContext, signal: Cancellation) => Promise<AuthOutcome>

/** What the account's source says now, the rules and the right to act for somebody else; no proof and no throttle. */
export function createResume(parts: DecisionParts): Resume {
  return async (earlier, context, signal) => {
    const { mechanism, delegate, user } = earlier
    // Who has proved themselves is asked about, whomever they act for.
    const claim = { mechanism, authcid: delegate ?? user, authzid: delegate === undefined ? undefined : user }
    const no = (why: Parameters<typeof refuse>[3]): AuthOutcome => refuse(parts, claim, context, why)
    const { authzid: _, ...asked } = factsOf(claim, context)
    const answer = await askForAccount(parts.sources, { ...asked, earlier }, signal)
    if (signal.aborted) return { kind: 'failed', reason: 'aborted', waitMs: 0, user }
    const { source } = answer
    if (answer.kind === 'unavailable') {
      return no({ reason: 'lookup-unavailable', waitMs: 0, source, cause: answer.cause })
    }
    if (answer.kind === 'rejected') return no({ reason: answer.reason, waitMs: 0, source })
    if (answer.principal.epoch !== earlier.epoch) return no({ reason: 'invalid-credentials', waitMs: 0, source })
    const access = parts.access(context, mechanism, answer.principal.user)
    if (access.kind === 'deny') return no({ reason: 'network-refused', waitMs: 0, source, rule: access.rule })
    const principal = identify(asThen(answer.principal, earlier), claim, parts)
    if (principal === undefined) return no({ reason: 'unauthorized-identity', waitMs: 0, source })
    const deferred = answer.kind === 'deferred'
    if (!deferred) parts.audit.accepted(principal, context.client, true)
    const settle = async (verdict: 'accepted' | 'refused' | 'unknown'): Promise<void> => {
      if (deferred && verdict === 'refused') no({ reason: 'invalid-credentials', waitMs: 0, source })
    }
    return { kind: 'authenticated', principal, deferred, settle }
  }
}

/** The account as it is now, proved as it was then. */
function asThen(account: Principal, { authcid, mechanism, strength, password }: EarlierSignIn): Principal {
  return { ...account, authcid, mechanism, strength, proof: password === undefined ? {} : { password } }
}

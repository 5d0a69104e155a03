// SPDX-License-Identifier: MIT
import { createHmac, randomBytes } from 'node:crypto'
import { type Cancellation, Secret } from '@portico/base'
import type { AuthContext, AuthOutcome } from './authenticator.js'
import { askForTokenOwner } from './chain.js'
import { concludeAdmitted, type DecisionParts, factsOf } from './decision.js'

/** Turns a bearer token into the outcome of a sign-in. */
export type DecideToken = (token: string, context: AuthContext, signal: Cancellation) => Promise<AuthOutcome>

/**
 * A token says nothing of its owner before it is verified: logs and throttle know it by a mark that means something to this process
 * alone. So a client that goes on showing one bad token counts once, and one that tries many counts by its address.
 */
export function createTokenDecision(parts: DecisionParts): DecideToken {
  const key = randomBytes(32)
  return async (token, context, signal) => {
    const mark = createHmac('sha256', key).update(token).digest('base64url').slice(0, 10)
    const claim = { mechanism: 'BEARER', authcid: `token ${mark}`, authzid: undefined }
    const suspect = { client: context.client, user: claim.authcid }
    const shown = new Secret(token)
    const outcome = await concludeAdmitted(parts, { claim, context, suspect, password: shown, signal }, () =>
      askForTokenOwner(
        parts.sources,
        { ...factsOf(claim, context), token: shown, share: parts.throttle.shareOf(suspect) },
        signal,
      ),
    )
    if (outcome.kind === 'failed') return outcome
    const { principal } = outcome
    return { ...outcome, principal: { ...principal, proof: { ...principal.proof, token: shown } } }
  }
}

// SPDX-License-Identifier: MIT
import type { Cancellation, Principal, ProtocolName } from '@portico/base'
import { HTTP_SCHEMES, PLAIN_LOGIN } from './access.js'
import type { AuthContext } from './authenticator.js'
import { askForAccount } from './chain.js'
import { type DecisionParts, factsOf } from './decision.js'

/** Whether somebody may use a protocol from where they are: see {@link Authenticator.mayUse}. */
export type MayUse = (
  principal: Principal,
  protocol: ProtocolName,
  context: AuthContext,
  signal: Cancellation,
) => Promise<boolean>

/** What the rules and the account's source say of another protocol than the one that somebody has signed in by. */
export function createPermission(parts: DecisionParts, mechanisms: readonly string[]): MayUse {
  return async ({ proof: _, ...principal }, protocol, context, signal) => {
    const { user, delegate, mechanism } = principal
    const there = { ...context, client: { ...context.client, protocol } }
    const ways = protocol === 'http' ? HTTP_SCHEMES : [...mechanisms, PLAIN_LOGIN]
    if (ways.every((way) => parts.access(there, way, user).kind === 'deny')) return false
    const claim = { mechanism, authcid: delegate ?? user, authzid: undefined }
    const answer = await askForAccount(parts.sources, { ...factsOf(claim, there), earlier: principal }, signal)
    return answer.kind === 'accepted' || answer.kind === 'deferred'
  }
}

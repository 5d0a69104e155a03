// SPDX-License-Identifier: MIT
import type { Principal } from '@portico/base'
import type { ActingPolicy } from './acting.js'
import type { CredentialSource } from './credential-source.js'
import type { Claim } from './decision.js'

interface IdentityParts {
  readonly sources: readonly CredentialSource[]
  readonly mayActFor: ActingPolicy
}

/** Spellings of one account share its failures, as far as a source knows them for the same. */
export function accountOf(sources: readonly CredentialSource[], presented: string): string {
  for (const source of sources) {
    const account = source.canonical?.(presented)
    if (account !== undefined) return account
  }
  return presented
}

/** The principal as whom they act; `undefined` when they may not (RFC 4422 section 3.4.1). An account's route is not another's. */
export function identify(
  principal: Principal,
  claim: Claim,
  { sources, mayActFor }: IdentityParts,
): Principal | undefined {
  const { authzid, contradictory = false } = claim
  if (contradictory) return undefined
  if (authzid === undefined) return principal
  const account = accountOf(sources, authzid)
  const wanted = account.toLowerCase()
  if (wanted === principal.authcid.toLowerCase() || wanted === principal.user.toLowerCase()) return principal
  if (!mayActFor(principal, account)) return undefined
  const { route: _, ...rest } = principal
  return { ...rest, user: wanted, delegate: principal.user, fields: new Map() }
}

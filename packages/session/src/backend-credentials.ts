// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import {
  actsForAnother,
  type Backend,
  isLoopback,
  type MailboxLocation,
  type Principal,
  type Secret,
} from '@portico/base'
import type { Leg } from '@portico/net'

/** What to log in with at a backend: SASL PLAIN's three fields (RFC 4616); LOGIN and USER/PASS will do when `authzid` is absent. */
export type BackendCredentials =
  | {
      readonly kind: 'credentials'
      readonly authcid: string
      readonly authzid: string | undefined
      readonly password: Secret<string>
    }
  /** Nothing that this backend takes can be shown for the principal: the configuration's fault. `why` is for the log. */
  | { readonly kind: 'none'; readonly why: string }

/**
 * Chooses how the principal is asserted to a mailbox backend. A deferred login has proved nothing yet, so it may only show the
 * client's own password: a master user or a stored password would let anybody in.
 */
export function backendCredentials(
  authenticated: Pick<Authenticated, 'principal' | 'deferred'>,
  location: MailboxLocation,
  backend: Backend,
): BackendCredentials {
  const { principal, deferred } = authenticated
  const user = location.backendUser ?? principal.user
  if (/[\0-\x1f\x7f]/.test(user) || user === '') return { kind: 'none', why: 'the user name holds control characters' }
  const { identity } = backend
  if (deferred && (identity.kind !== 'password' || location.backendPassword !== undefined))
    return { kind: 'none', why: 'a deferred login can only show its own password' }
  if (identity.kind === 'master') return masterCredentials(identity, user)
  if (identity.kind !== 'password')
    return { kind: 'none', why: `identity ${identity.kind} is not for mailbox protocols` }
  return passwordCredentials(principal, location, user)
}

function masterCredentials(
  identity: Extract<Backend['identity'], { kind: 'master' }>,
  user: string,
): BackendCredentials {
  const { secret: password, separator } = identity
  if (separator === undefined) return { kind: 'credentials', authcid: identity.user, authzid: user, password }
  // `alice*bob` would be read as: bob acts for alice.
  if (user.includes(separator)) return { kind: 'none', why: 'the user name holds the master user separator' }
  return { kind: 'credentials', authcid: `${user}${separator}${identity.user}`, authzid: undefined, password }
}

function passwordCredentials(principal: Principal, location: MailboxLocation, user: string): BackendCredentials {
  if (location.backendPassword !== undefined)
    return { kind: 'credentials', authcid: user, authzid: undefined, password: location.backendPassword }
  const { password } = principal.proof
  if (password === undefined) return { kind: 'none', why: 'the sign-in left no password to show to the backend' }
  // Somebody who acts for somebody else proves it to the backend as well.
  return actsForAnother(principal)
    ? { kind: 'credentials', authcid: principal.delegate, authzid: user, password }
    : { kind: 'credentials', authcid: user, authzid: undefined, password }
}

/** Whether a password may cross this leg: encrypted, or as the backend's policy says, judged by the address really connected to. */
export function passwordMayCross(leg: Leg, backend: Backend): boolean {
  if (leg.tls !== undefined) return true
  const policy = backend.cleartextPasswords
  if (policy === 'never') return false
  const { socketPeer } = leg.facts
  if (policy === 'loopback') return isLoopback(socketPeer)
  return policy.contains(socketPeer.address)
}

/** The octets of SASL PLAIN in base64 (RFC 4616 section 2). */
export function plainResponse(credentials: Extract<BackendCredentials, { kind: 'credentials' }>): string {
  const { authcid, authzid, password } = credentials
  return Buffer.from(`${authzid ?? ''}\0${authcid}\0${password.expose()}`, 'utf8').toString('base64')
}

// SPDX-License-Identifier: MIT
import { actsForAnother, type Backend, type MailboxLocation, type Principal } from '@portico/base'
import type { Leg } from '@portico/net'
import { passwordMayCross } from '@portico/session'
import { basicValue } from './basic.js'

/** How the user is asserted to a backend in a request's head. */
export type Assertion =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | { readonly kind: 'nothing' }
  /** It cannot be done; a closed word for the log. */
  | {
      readonly kind: 'impossible'
      readonly why: 'no-password' | 'cleartext-forbidden' | 'unsupported-identity' | 'bad-name'
    }

/** Chooses the field that tells a backend who the user is (RFC 7617 for a password, or a header that it trusts). */
export function assertionFor(backend: Backend, leg: Leg, principal: Principal, location: MailboxLocation): Assertion {
  const user = location.backendUser ?? principal.user
  const { identity } = backend
  switch (identity.kind) {
    case 'none':
      return { kind: 'nothing' }
    case 'header':
      return headerAssertion(identity.name, user)
    case 'password': {
      // Basic names one user (RFC 7617 section 2): what a delegate can prove is of no use for the mailbox of somebody else.
      const own = actsForAnother(principal) ? undefined : principal.proof.password
      const password = location.backendPassword ?? own
      if (password === undefined) return { kind: 'impossible', why: 'no-password' }
      if (!passwordMayCross(leg, backend)) return { kind: 'impossible', why: 'cleartext-forbidden' }
      const value = basicValue(user, password.expose())
      if (value === undefined) return { kind: 'impossible', why: 'bad-name' }
      return { kind: 'field', name: 'Authorization', value }
    }
    default:
      return { kind: 'impossible', why: 'unsupported-identity' }
  }
}

/** A user name with a control character could end the field line; names go out as UTF-8 octets. */
function headerAssertion(name: string, user: string): Assertion {
  if (user === '' || /[\0-\x1f\x7f]/.test(user)) return { kind: 'impossible', why: 'bad-name' }
  return { kind: 'field', name, value: Buffer.from(user, 'utf8').toString('latin1') }
}

/** Fields that tell this backend something of our own: they are never taken from a client. */
export function reservedNames(backend: Backend, prefixField: string | undefined): readonly string[] {
  const names: string[] = []
  if (backend.identity.kind === 'header') names.push(backend.identity.name.toLowerCase())
  if (prefixField !== undefined) names.push(prefixField.toLowerCase())
  return names
}

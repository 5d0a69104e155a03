// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import { actsForAnother, type Backend, type MailboxLocation, type Secret } from '@portico/base'
import type { Leg } from '@portico/net'
import { passwordMayCross } from '@portico/session'
import type { Directory } from '../directory/schema.js'
import { basicValue } from '../sign-in/credentials.js'

/** How the user is asserted to a backend in a request's head. */
export type Assertion =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | { readonly kind: 'nothing' }
  /** It cannot be done; a closed word for the log. */
  | {
      readonly kind: 'impossible'
      readonly why:
        | 'not-proved'
        | 'no-password'
        | 'no-token'
        | 'cleartext-forbidden'
        | 'unsupported-identity'
        | 'bad-name'
    }

/**
 * Chooses the field that tells a backend who the user is: their password (RFC 7617), their token (RFC 6750), or a header that it
 * trusts. A deferred sign-in has proved nothing yet, so that it may only show what the client itself has shown.
 */
export function assertionFor(
  backend: Backend,
  leg: Leg,
  { principal, deferred }: Pick<Authenticated, 'principal' | 'deferred'>,
  location: MailboxLocation,
): Assertion {
  const user = location.backendUser ?? principal.user
  const { identity } = backend
  if (deferred && (identity.kind === 'header' || location.backendPassword !== undefined)) return NOT_PROVED
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
      const value = basicOf(user, password)
      if (value === undefined) return { kind: 'impossible', why: 'bad-name' }
      return { kind: 'field', name: 'Authorization', value }
    }
    case 'token': {
      // A token names its own user, whomever they act for.
      const token = actsForAnother(principal) ? undefined : principal.proof.token
      if (token === undefined) return { kind: 'impossible', why: 'no-token' }
      if (!passwordMayCross(leg, backend)) return { kind: 'impossible', why: 'cleartext-forbidden' }
      return { kind: 'field', name: 'Authorization', value: `Bearer ${token.expose()}` }
    }
    default:
      return { kind: 'impossible', why: 'unsupported-identity' }
  }
}

interface Basic {
  readonly user: string
  readonly value: string | undefined
}

/** What a password was last shown as: a sign-in serves many requests, and each shows it again. */
const shown = new WeakMap<Secret<string>, Basic>()

function basicOf(user: string, password: Secret<string>): string | undefined {
  const last = shown.get(password)
  if (last?.user === user) return last.value
  const value = basicValue(user, password.expose())
  shown.set(password, { user, value })
  return value
}

const NOT_PROVED: Assertion = { kind: 'impossible', why: 'not-proved' }

/** A user name with a control character could end the field line; names go out as UTF-8 octets. */
function headerAssertion(name: string, user: string): Assertion {
  if (user === '' || /[\0-\x1f\x7f]/.test(user)) return { kind: 'impossible', why: 'bad-name' }
  return { kind: 'field', name, value: Buffer.from(user, 'utf8').toString('latin1') }
}

/** Fields that tell this backend something of our own: they are never taken from a client. */
export function reservedNames(backend: Backend, { prefixField, originField }: Directory): readonly string[] {
  const names: string[] = []
  if (backend.identity.kind === 'header') names.push(backend.identity.name.toLowerCase())
  if (prefixField !== undefined) names.push(prefixField.toLowerCase())
  if (originField !== undefined) names.push(originField.toLowerCase())
  return names
}

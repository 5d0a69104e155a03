// SPDX-License-Identifier: MIT
import { type AccessAnswer, type AccessRule, decideAccess } from './access-rules.js'
import type { AuthContext } from './authenticator.js'

/** What rules and logs call the ways to sign in that are no SASL mechanism: LOGIN, and USER with PASS. */
export const PLAIN_LOGIN = 'USER' as const

/** What they call what is served without a sign-in: only rules that name no mechanism hold for it. */
export const NO_SIGN_IN = 'NONE'

/**
 * The ways of HTTP, as rules and logs call them: the schemes of the Authorization field (RFC 7617, RFC 6750, RFC 4559, [MS-NTHT])
 * and a form with user name and password.
 */
export type HttpScheme = 'BASIC' | 'FORMS' | 'BEARER' | 'NEGOTIATE' | 'NTLM'

/** Those whose client and server talk several times, bound to one connection. */
export type HandshakeScheme = Extract<HttpScheme, 'NEGOTIATE' | 'NTLM'>

export const HTTP_SCHEMES: readonly HttpScheme[] = ['BASIC', 'FORMS', 'BEARER', 'NEGOTIATE', 'NTLM']

/** What the access rules say of a mechanism on this leg, and of the account once it has proved itself. */
export type Access = (context: AuthContext, mechanism: string, user?: string) => AccessAnswer

export function createAccess(rules: readonly AccessRule[]): Access {
  return (context, mechanism, user) =>
    decideAccess(rules, {
      address: context.client.peer.address,
      protocol: context.client.protocol,
      mechanism,
      ...(user === undefined ? {} : { user }),
    })
}

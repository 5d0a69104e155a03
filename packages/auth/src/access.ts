// SPDX-License-Identifier: MIT
import { serverMechanismNames } from '@portico/sasl'
import { type AccessAnswer, type AccessRule, decideAccess } from './access-rules.js'
import type { AuthContext } from './authenticator.js'

/** What rules call the ways to sign in that are no SASL mechanism: LOGIN, USER with PASS, and HTTP's Basic. */
export const PLAIN_LOGIN = 'USER'
export const HTTP_BASIC = 'BASIC'

/** What the access rules say of a mechanism on this leg, and of the account once it has proved itself. */
export type Access = (context: AuthContext, mechanism: string, user?: string) => AccessAnswer

export function createAccess(rules: readonly AccessRule[]): Access {
  return (context, mechanism, user) =>
    decideAccess(rules, {
      address: context.client.peer.address,
      protocol: context.client.protocol,
      mechanism: serverMechanismNames.includes(mechanism) ? mechanism : plainLoginOf(context),
      ...(user === undefined ? {} : { user }),
    })
}

/** What rules call a password that is shown without SASL here. */
export function plainLoginOf({ client }: AuthContext): string {
  return client.protocol === 'http' ? HTTP_BASIC : PLAIN_LOGIN
}

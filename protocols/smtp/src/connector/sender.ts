// SPDX-License-Identifier: MIT
import type { Principal } from '@portico/base'
import type { Mailbox } from '../address.js'
import type { Connector } from './connectors.js'
import { may } from './permissions.js'

/** Who has signed in. */
type Sender = Pick<Principal, 'user' | 'fields'>

/**
 * Whether a client may send as this address (RFC 6409 section 6.1). The null reverse-path is everybody's: reports about messages
 * have to use it (RFC 5321 section 4.5.5). `accountOf` tells which account a name that somebody signs in with means.
 */
export function maySendAs(
  connector: Pick<Connector, 'permissions' | 'domains'>,
  user: Sender | undefined,
  sender: Pick<Mailbox, 'local' | 'domain'> | undefined,
  accountOf: (name: string) => string,
): boolean {
  if (sender === undefined) return true
  const known = user !== undefined
  // A name without a domain is completed by the backend, with one of the site's.
  const ours = sender.domain === '' || connector.domains.includes(sender.domain)
  if (ours && may(connector, known, 'own-domain-sender')) return true
  if (may(connector, known, 'any-sender') && (known || !ours)) return true
  return known && isOwn(user, sender, connector.domains, accountOf)
}

/** Characters that have a meaning of their own in the names that people sign in with. */
const NAME_SYNTAX = /[@\\/]/

/**
 * An address is the user's when signing in with it would be signing in as the user, when the account's `mail` says it, or when it
 * is the user's name at one of the connector's domains. Local parts are compared without case, as names of accounts are.
 */
function isOwn(
  { user, fields }: Sender,
  { local, domain }: Pick<Mailbox, 'local' | 'domain'>,
  domains: readonly string[],
  accountOf: (name: string) => string,
): boolean {
  const account = user.toLowerCase()
  const name = local.toLowerCase()
  const address = domain === '' ? name : `${name}@${domain}`
  if (address === account || address === fields.get('mail')?.toLowerCase()) return true
  if (name === account && domains.includes(domain)) return true
  return !NAME_SYNTAX.test(name) && accountOf(address).toLowerCase() === account
}

// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { parseUserName, type UserName } from './user-names.js'

const domainName = () =>
  z
    .string()
    .regex(/^[^@\\/\s]+$/, 'expected the name of a domain')
    .transform((text) => text.toLowerCase())

/** How the names that people sign in with become the names of accounts: `auth.names`. */
export const namingSchema = z
  .strictObject({
    defaultDomain: domainName()
      .optional()
      .describe('The domain of names without one; they stay as they are when absent.'),
    domains: z
      .record(z.string(), domainName())
      .default({})
      .describe(
        'Other names of domains, in any case: `CONTOSO: contoso.com` makes `CONTOSO\\kim`, `contoso/kim` and `kim@contoso` all `kim@contoso.com`. `domain\\alias` and `domain/alias` with a domain that is not listed here are looked up as they stand.',
      ),
    domain: z
      .enum(['keep', 'strip'])
      .default('keep')
      .describe(
        '`strip`: accounts of `defaultDomain` and of the domains that `domains` leads to are looked up without their domain. Names of other domains always keep it.',
      ),
  })
  .refine(
    ({ defaultDomain, domains }) => leadsNowhereElse(domains, defaultDomain),
    'expected that a domain which domains leads to, or defaultDomain, is no other name of a third one',
  )
  .prefault({})
  .describe('User names: `alias`, `user@domain`, `domain\\alias`, `domain/alias`.')

/** One account has one name: a name of a domain that is replaced is not what another one is replaced by. */
function leadsNowhereElse(domains: Readonly<Record<string, string>>, defaultDomain: string | undefined): boolean {
  const replaced = new Map(Object.entries(domains).map(([other, domain]) => [other.toLowerCase(), domain]))
  const real = [...replaced.values(), ...(defaultDomain === undefined ? [] : [defaultDomain])]
  return real.every((domain) => (replaced.get(domain) ?? domain) === domain)
}

export type NamingSettings = Settings<typeof namingSchema>

/** Who signs in and whose mailbox is meant, in names of accounts. */
export interface Meant {
  readonly authcid: string
  readonly authzid: string | undefined
  /** Two mailboxes at once: nobody can act for both. */
  readonly contradictory: boolean
}

/** Turns a presented name and authzid into names of accounts. Both have to be prepared (RFC 4013). */
export type Naming = (authcid: string, authzid: string | undefined) => Meant

/** A mailbox that the user name itself asks for is the same wish as a SASL authzid (RFC 4422 section 3.4.1). */
export function createNaming(settings: NamingSettings): Naming {
  const canonical = canonicalNames(settings)
  return (authcid, authzid) => {
    const { targetMailbox, ...account } = parseUserName(authcid)
    const plain = targetMailbox === undefined ? authcid : authcid.slice(0, -targetMailbox.length - 1)
    const fromName = targetMailbox === undefined ? undefined : canonical(parseUserName(targetMailbox), targetMailbox)
    const written = authzid === undefined ? undefined : parseUserName(authzid)
    const fromSasl = written === undefined ? undefined : canonical(written, authzid ?? '')
    return {
      authcid: canonical(account, plain),
      authzid: fromSasl ?? fromName,
      contradictory: written?.targetMailbox !== undefined || !agree(fromName, fromSasl),
    }
  }
}

function agree(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one.toLowerCase() === other.toLowerCase()
}

/** The name of an account; `written` is what stays when its domain says nothing to this site. */
function canonicalNames({ defaultDomain, domains, domain: policy }: NamingSettings) {
  const known = new Map(Object.entries(domains).map(([other, domain]) => [other.toLowerCase(), domain]))
  const own = new Set([...known.values(), ...(defaultDomain === undefined ? [] : [defaultDomain])])
  for (const domain of own) known.set(domain, known.get(domain) ?? domain)
  return ({ authcid, domain }: UserName, written: string): string => {
    if (domain === undefined && /[@\\/]/.test(authcid)) return written
    const real = domain === undefined ? defaultDomain : known.get(domain.toLowerCase())
    if (real === undefined) return written
    return policy === 'strip' && own.has(real) ? authcid : `${authcid}@${real}`
  }
}

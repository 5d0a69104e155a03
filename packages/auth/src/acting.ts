// SPDX-License-Identifier: MIT
import { globMatches, type Principal } from '@portico/base'
import { type Settings, z } from '@portico/config'

/** Whether who has proved to be this principal may act for `authzid`, the name of an account. */
export type ActingPolicy = (principal: Principal, authzid: string) => boolean

/** A list of names, compared without case; `*` and `?` are wild. */
export const patterns = () =>
  z
    .array(
      z
        .string()
        .min(1)
        .transform((text) => text.toLowerCase()),
    )
    .min(1)

/** Who may open whose mailbox: `auth.actingFor`. */
export const actingSchema = z
  .array(
    z.strictObject({
      users: patterns().describe('Accounts, compared without case; * and ? are wild.'),
      mailboxes: patterns().describe('Mailboxes that all of these may open.'),
    }),
  )
  .default([])
  .describe(
    'Who may act for whom: by a SASL authzid, by a user name of the form `user@domain/mailbox` or `domain/user/mailbox`, or by a [mailbox that an HTTP request names](http.md#routing). Nobody may who is not listed.',
  )

export function createActingPolicy(settings: Settings<typeof actingSchema>): ActingPolicy {
  return ({ user }, authzid) => {
    const [from, to] = [user.toLowerCase(), authzid.toLowerCase()]
    return settings.some(({ users, mailboxes }) => matchesAny(users, from) && matchesAny(mailboxes, to))
  }
}

/** Whether one of the patterns, in lower case, fits a name in lower case. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, name))
}

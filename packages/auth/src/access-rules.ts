// SPDX-License-Identifier: MIT
import type { Networks, ProtocolName } from '@portico/base'
import { matchesAny } from './acting.js'

/** One rule: all that it names has to hold; of each list one entry is enough. What it does not name holds always. */
export interface AccessRule {
  /** For the log; never told to clients. */
  readonly name: string
  readonly networks: Networks | undefined
  readonly exceptNetworks: Networks | undefined
  readonly protocols: ReadonlySet<ProtocolName> | undefined
  /** SASL names, `USER`, and the schemes of HTTP. */
  readonly mechanisms: ReadonlySet<string> | undefined
  /** Patterns in lower case. */
  readonly users: readonly string[] | undefined
  readonly exceptUsers: readonly string[] | undefined
  readonly action: 'allow' | 'deny'
}

/** A sign-in as rules see it. `user` is the account that has proved itself; absent while nobody has. */
export interface AccessQuestion {
  readonly address: string
  readonly protocol: ProtocolName
  readonly mechanism: string
  readonly user?: string
}

export type AccessAnswer =
  /** `rule` is absent when none fits: then everybody may. */
  | { readonly kind: 'allow' | 'deny'; readonly rule?: string }
  /** It depends on who it is. */
  | { readonly kind: 'depends' }

/** The first rule that fits decides. Without a user the answer is given only if it is the same for every user. */
export function decideAccess(rules: readonly AccessRule[], question: AccessQuestion): AccessAnswer {
  const mayDecide: AccessRule[] = []
  for (const rule of rules) {
    if (!fitsConnection(rule, question)) continue
    if (question.user === undefined && asksForUser(rule)) mayDecide.push(rule)
    else if (asksForUser(rule) && !fitsUser(rule, question.user ?? '')) continue
    else return agreed(mayDecide, { kind: rule.action, rule: rule.name })
  }
  return agreed(mayDecide, { kind: 'allow' })
}

function agreed(others: readonly AccessRule[], answer: AccessAnswer): AccessAnswer {
  return others.every(({ action }) => action === answer.kind) ? answer : { kind: 'depends' }
}

function fitsConnection(rule: AccessRule, { address, protocol, mechanism }: AccessQuestion): boolean {
  if (rule.networks?.contains(address) === false) return false
  if (rule.exceptNetworks?.contains(address) === true) return false
  return rule.protocols?.has(protocol) !== false && rule.mechanisms?.has(mechanism) !== false
}

function asksForUser({ users, exceptUsers }: AccessRule): boolean {
  return users !== undefined || exceptUsers !== undefined
}

function fitsUser({ users, exceptUsers }: AccessRule, user: string): boolean {
  const name = user.toLowerCase()
  return (
    (users === undefined || matchesAny(users, name)) && (exceptUsers === undefined || !matchesAny(exceptUsers, name))
  )
}

// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import type { WrittenGateway, WrittenTelephony } from './gateways-schema.js'
import { internationalNumber, type NumberPlan } from './number-plan.js'
import { formatPhoneAddress, parsePhoneAddress, serviceNamedBy } from './phone-address.js'
import { PrefixRules } from './prefix-rules.js'

/** A gateway to telephones, for one service. */
export interface Gateway extends Omit<WrittenGateway, 'allow' | 'deny' | 'users'> {
  /** In upper case. */
  readonly service: string
  readonly prefixes: PrefixRules
  /** There is some number that may be called. */
  readonly callable: boolean
  /** In lower case; undefined: all that have signed in. */
  readonly users: ReadonlySet<string> | undefined
}

export interface Telephony {
  readonly numbers: NumberPlan
  /** By service, in upper case. */
  readonly gateways: ReadonlyMap<string, Gateway>
}

/** A recipient that is a telephone: which gateway it belongs to, and how it is told. */
export interface Call {
  readonly kind: 'call'
  readonly gateway: Gateway
  /** With plus sign and country code. */
  readonly number: string
  /** The recipient as the gateway is asked for it. */
  readonly path: string
}

/** `bad`: it belongs to a gateway, and is no number that anybody could judge. */
export type Called = Call | { readonly kind: 'bad'; readonly gateway: Gateway }

/** The gateways as they are written, ready for use. */
export function completeGateways({ numbers, gateways }: WrittenTelephony): Telephony {
  const plan = { ...numbers, countryCode: numbers.countryCode }
  return {
    numbers: plan,
    gateways: new Map(
      Object.entries(gateways).map(([name, written]) => [name.toUpperCase(), complete(name, written, plan)]),
    ),
  }
}

function complete(name: string, written: WrittenGateway, { countryCode }: NumberPlan): Gateway {
  const { allow = countryCode === undefined ? [] : [`+${countryCode}`], deny, users, ...rest } = written
  return {
    ...rest,
    service: name.toUpperCase(),
    prefixes: new PrefixRules({ allow, deny }),
    callable: allow.length > 0,
    users: users && new Set(users.map((user) => user.toLowerCase())),
  }
}

/** What of the settings says which recipients are telephones. */
export interface Places {
  readonly telephony: Telephony
  readonly connectors: ReadonlyMap<string, { readonly domains: readonly string[] }>
}

type Address = Pick<Mailbox, 'text' | 'local' | 'domain'>

/**
 * The call that a recipient means; undefined where it belongs to no gateway. What a lenient gateway might take for one and we cannot
 * read is `bad`: it must not go there on any way.
 */
export function calledBy(places: Places, { text, local, domain }: Address): Called | undefined {
  const { numbers, gateways } = places.telephony
  const there = gateways.size === 0 ? [] : [...gateways.values()].filter(({ domains }) => domains.includes(domain))
  const [first] = there
  if (first === undefined) return calledByWayOf(places, local)
  const named = serviceNamedBy(local)
  const gateway = there.find(({ service }) => service === named)
  if (gateway === undefined)
    return isForTelephonesAlone(places, { local, domain }) ? { kind: 'bad', gateway: first } : undefined
  const address = parsePhoneAddress(local)
  const number = address && internationalNumber(address.number, numbers)
  const isJudged = address?.qualifiers.every(({ name }) => gateway.qualifiers.includes(name)) === true
  if (address === undefined || number === undefined || !isJudged) return { kind: 'bad', gateway }
  const normalized = `${formatPhoneAddress({ ...address, number })}${text.slice(text.lastIndexOf('@'))}`
  return { kind: 'call', gateway, number, path: gateway.address === 'normalized' ? normalized : text }
}

/** Where a mail server behind us may read another address out of a local part, and find a telephone (RFC 5321 section 3.6.1: `%`, `!`). */
function calledByWayOf(places: Places, local: string): Called | undefined {
  const pieces = local.split(/[%!@]/)
  if (pieces.length < 2) return undefined
  for (const written of pieces) {
    const domain = written.toLowerCase().replace(/\.$/, '')
    for (const piece of pieces) {
      if (piece === written) continue
      const called = calledBy(places, { text: `${piece}@${domain}`, local: piece, domain })
      if (called !== undefined) return { kind: 'bad', gateway: called.gateway }
    }
  }
  return undefined
}

/** Nobody has a mailbox at a domain that is no connector's; its gateway may dial whatever it can read. Postmaster is everywhere (RFC 5321 section 4.5.1). */
function isForTelephonesAlone({ connectors }: Places, { local, domain }: Pick<Mailbox, 'local' | 'domain'>): boolean {
  if (local.toLowerCase() === 'postmaster') return false
  return [...connectors.values()].every(({ domains }) => !domains.includes(domain))
}

/** A recipient as its backend is asked for it. */
export function pathOf(places: Places, mailbox: Address): string {
  const called = calledBy(places, mailbox)
  return called?.kind === 'call' ? called.path : mailbox.text
}

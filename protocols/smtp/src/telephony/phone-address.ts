// SPDX-License-Identifier: MIT

/** A telephone that an address means: `FAX=+12027653000/T33S=1387` (RFC 3191, RFC 3192). */
export interface PhoneAddress {
  /** What is to become of the message, in upper case: `FAX`, `VOICE`, `SMS` … */
  readonly service: string
  /** As it is dialled, without separators: digits, perhaps with a plus sign in front. */
  readonly number: string
  /** What stands behind the number, names in upper case: `T33S` is a sub-address (RFC 3192 section 2). */
  readonly qualifiers: readonly Qualifier[]
}

export interface Qualifier {
  readonly name: string
  readonly value: string
}

const SERVICE = /^[A-Za-z][A-Za-z0-9-]{0,31}$/
/** Digits with written separators between and behind them (RFC 3191 section 2). */
const NUMBER = /^\+?\d[\d.-]*$/
/** No white space, no quotes and no slash: gateways hand them to programs. */
const QUALIFIER = /^([A-Za-z][A-Za-z0-9-]{0,31})=([A-Za-z0-9+*#._-]{1,32})$/
/** E.164 has 15 digits; in front of them some dial 00 or 011. */
const MOST_DIGITS = 20
const MOST_QUALIFIERS = 4

/**
 * Reads a local part without its quotes: `FAX=+12027653000/T33S=1387`, `/FAX=+33-1-88335215/`, `voice=+39.40.226338`. The slashes
 * around it come with gateways to X.400 (RFC 2163). Undefined: it is none.
 */
export function parsePhoneAddress(local: string): PhoneAddress | undefined {
  const inner = local.startsWith('/') ? local.slice(1).replace(/\/$/, '') : local
  const [mailbox = '', ...rest] = inner.split('/')
  const equals = mailbox.indexOf('=')
  const service = mailbox.slice(0, Math.max(0, equals))
  const written = mailbox.slice(equals + 1)
  if (!SERVICE.test(service) || !NUMBER.test(written)) return undefined
  const number = written.replace(/[.-]/g, '')
  const qualifiers = rest.map(qualifierOf).filter((one) => one !== undefined)
  const isComplete = qualifiers.length === rest.length && qualifiers.length <= MOST_QUALIFIERS
  if (!isComplete || number.length > MOST_DIGITS || repeats(qualifiers)) return undefined
  return { service: service.toUpperCase(), number, qualifiers }
}

/**
 * The service that a local part names, in upper case, if only to some lenient reader: with slashes, blanks or controls around it. A
 * gateway could read more than {@link parsePhoneAddress} does.
 */
export function serviceNamedBy(local: string): string | undefined {
  return /^[^A-Za-z0-9]*([A-Za-z][A-Za-z0-9-]{0,31})[^A-Za-z0-9]*=/.exec(local.slice(0, 128))?.[1]?.toUpperCase()
}

/** The local part of an address in its shortest form, without separators. It needs no quotes. */
export function formatPhoneAddress({ service, number, qualifiers }: PhoneAddress): string {
  return [`${service}=${number}`, ...qualifiers.map(({ name, value }) => `${name}=${value}`)].join('/')
}

function qualifierOf(text: string): Qualifier | undefined {
  const [, name, value] = QUALIFIER.exec(text) ?? []
  return name === undefined || value === undefined ? undefined : { name: name.toUpperCase(), value }
}

/** Nobody could say which of two is meant. */
function repeats(qualifiers: readonly Qualifier[]): boolean {
  return new Set(qualifiers.map(({ name }) => name)).size < qualifiers.length
}

// SPDX-License-Identifier: MIT

/** A URI as far as a redirect server looks into it. */
export type Uri = SipUri | TelUri | { readonly kind: 'other'; readonly scheme: string }

/** RFC 3261 section 19.1. */
export interface SipUri {
  readonly kind: 'sip'
  readonly secure: boolean
  /** Decoded, without password; empty when there is none. */
  readonly user: string
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number | undefined
  /** `user=phone`: the user is a telephone number (RFC 3261 section 19.1.6). */
  readonly isPhone: boolean
}

/** RFC 3966. */
export interface TelUri {
  readonly kind: 'tel'
  readonly number: Phone
}

/** A telephone number without its visual separators. */
export interface Phone {
  /** `+` and digits of a global number, or what a local one has: digits, `*`, `#`, hexadecimal letters. */
  readonly digits: string
  /** Where a local number holds: a domain, or the first digits of global ones (RFC 3966 section 5.1.5). */
  readonly context: string | undefined
}

const HOST =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?))(?::(\d{1,5}))?$/
const USER = /^(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2})+$/
const PASSWORD = /^(?:[A-Za-z0-9_.!~*'()&=+$,-]|%[0-9A-Fa-f]{2})*$/
const PARAMETER =
  /^(?:[A-Za-z0-9_.!~*'()[\]/:&+$-]|%[0-9A-Fa-f]{2})+(?:=(?:[A-Za-z0-9_.!~*'()[\]/:&+$-]|%[0-9A-Fa-f]{2})+)?$/
const LONGEST_HOST = 255
/** With its separators; E.164 has 15 digits. */
const LONGEST_NUMBER = 64

/** Reads a URI; undefined for what is none. Header components (`?`) belong to other places than these (section 19.1.1). */
export function parseUri(text: string): Uri | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined || !/^[\x21-\x7e]+$/.test(text) || /[<>"]/.test(text)) return undefined
  const rest = text.slice(scheme.length + 1)
  if (scheme === 'tel') return parseTel(rest)
  return scheme === 'sip' || scheme === 'sips' ? parseSip(rest, scheme === 'sips') : { kind: 'other', scheme }
}

function parseSip(text: string, secure: boolean): SipUri | undefined {
  const at = text.indexOf('@')
  const userInfo = at < 0 ? undefined : text.slice(0, at)
  const [hostPort = '', ...parameters] = text.slice(at + 1).split(';')
  const host = parseHostPort(hostPort)
  const user = userInfo === undefined ? '' : parseUser(userInfo)
  if (host === undefined || host.port === 0 || user === undefined || !parameters.every((one) => PARAMETER.test(one)))
    return undefined
  const isPhone = parameters.some((one) => one.toLowerCase() === 'user=phone')
  return { kind: 'sip', secure, user, ...host, isPhone }
}

/** A host with or without a port (RFC 3261 section 25.1, `hostport`). Port 0 is nowhere, but may stand there. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  if (text.length > LONGEST_HOST + 6) return undefined
  const match = HOST.exec(text)
  if (match === null) return undefined
  const [, v6, name, digits] = match
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && port > 65_535) return undefined
  return { host: (v6 ?? name ?? '').toLowerCase(), port }
}

function parseUser(text: string): string | undefined {
  const colon = text.indexOf(':')
  const user = colon < 0 ? text : text.slice(0, colon)
  if (!USER.test(user) || (colon >= 0 && !PASSWORD.test(text.slice(colon + 1)))) return undefined
  return decoded(user)
}

/** Octets as text of one character for each that UTF-8 has; what is no UTF-8 keeps its octets, and so is nobody's name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function parseTel(text: string): TelUri | undefined {
  const number = parsePhone(text)
  return number === undefined ? undefined : { kind: 'tel', number }
}

/** Reads a telephone subscriber (RFC 3966 section 3) with its parameters; undefined for what is none. */
export function parsePhone(text: string): Phone | undefined {
  const [number = '', ...parameters] = text.split(';')
  if (number.length > LONGEST_NUMBER) return undefined
  const isGlobal = /^\+[0-9().-]*[0-9][0-9().-]*$/.test(number)
  if (!isGlobal && !/^[0-9A-Fa-f*#().-]*[0-9A-Fa-f*#][0-9A-Fa-f*#().-]*$/.test(number)) return undefined
  if (!parameters.every((one) => PARAMETER.test(one))) return undefined
  const context = parameters.find((one) => /^phone-context=/i.test(one))?.slice('phone-context='.length)
  return { digits: number.replace(/[().-]/g, '').toUpperCase(), context: isGlobal ? undefined : context?.toLowerCase() }
}

/** Writes a user that {@link parseUri} has read for a SIP URI. */
export function escapeUser(user: string): string {
  return encodeURIComponent(user).replace(/%(?:2B|2C|3B|24|26|3D)/g, (code) => decodeURIComponent(code))
}

// SPDX-License-Identifier: MIT
/**
 * Names of our cookies. With the prefix a browser takes them only over an encrypted connection, from this host itself and for
 * all of its paths (RFC 6265bis section 4.1.3.2); without it they serve where the site allows passwords in the clear.
 */
const PREFIX = '__Host-'
const SIGN_IN = 'portico-sign-in'
const PAGE = 'portico-page'
const USER = 'portico-user'

/** The names that hold on a connection. */
export interface CookieNames {
  readonly signIn: string
  readonly page: string
  /** What was filled in last, for the page that follows. */
  readonly user: string
  readonly secure: boolean
}

const SECURE: CookieNames = { signIn: PREFIX + SIGN_IN, page: PREFIX + PAGE, user: PREFIX + USER, secure: true }
const PLAIN: CookieNames = { signIn: SIGN_IN, page: PAGE, user: USER, secure: false }

export function cookieNames(secure: boolean): CookieNames {
  return secure ? SECURE : PLAIN
}

/** Browsers keep no longer cookie (RFC 6265 section 6.1), its name and attributes included. */
export const LONGEST_COOKIE = 4096

/** The value of a cookie in a Cookie field (RFC 6265 section 4.2). */
export function cookieValue(field: string, name: string): string | undefined {
  // Most requests of other clients have none of ours.
  if (!field.includes(name)) return undefined
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}

/** A Set-Cookie line for a cookie that lives as long as the browser. */
export function setCookie(name: string, value: string, { secure }: CookieNames, sameSite: 'Lax' | 'Strict'): string {
  return `Set-Cookie: ${name}=${value}; Path=/;${secure ? ' Secure;' : ''} HttpOnly; SameSite=${sameSite}\r\n`
}

/** A Set-Cookie line that takes a cookie away. */
export function dropCookie(name: string, { secure }: CookieNames): string {
  return `Set-Cookie: ${name}=; Path=/; Max-Age=0;${secure ? ' Secure;' : ''} HttpOnly; SameSite=Lax\r\n`
}

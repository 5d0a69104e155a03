// SPDX-License-Identifier: MIT
import { clientPath } from '../directory/directories.js'
import type { View } from '../directory/mapping.js'

/**
 * A cookie of ours has a name that begins so, with or without the prefixes of RFC 6265bis section 4.1.3. What is set without a
 * name comes back as if its value were name and value.
 */
const OURS = /^[\s=]*(?:__(?:host|secure|http)-)*portico/i
/** By these cookies a client could choose the server behind a front end of Exchange. */
const STEERING = /^x-(?:beresource|anonresource|backendcookie|commonaccesstoken)/i
/** Whether a Cookie field may hold one of either kind; most do not, and pass as they came. */
const SUSPECT = /portico|x-(?:beres|anonres|backend|common)/i

/**
 * A Cookie field (RFC 6265 section 4.2.1) without the cookies that are not a backend's business; `undefined` when none is left. Old
 * readers part cookies at commas too (RFC 2965 section 3.3.4), and many applications write them into values: those stay whole.
 */
export function cookiesForBackend(value: string): string | undefined {
  if (!SUSPECT.test(value)) return value
  const pairs = value.split(';').map((pair) => pair.trim())
  const passed = pairs.filter((pair) => pair !== '' && !pair.split(',').some((part) => isForeign(part.trim())))
  return passed.length === 0 ? undefined : passed.join('; ')
}

/** Whether a backend's Set-Cookie (RFC 6265 section 4.1) would put a cookie in the place of ours. */
export function setsOurCookie(value: string): boolean {
  return OURS.test(value)
}

function isForeign(pair: string): boolean {
  return OURS.test(pair) || STEERING.test(pair)
}

/**
 * A backend's Set-Cookie (RFC 6265 section 4.1) in the client's view: a path of the directory becomes the client's, and a domain
 * that is not the client's, whose browser would refuse the cookie, is left out.
 */
export function cookieForClient(view: View, value: string): string {
  const [pair = '', ...attributes] = value.split(';')
  const seen = attributes.map((attribute) => attributeForClient(view, attribute))
  return [pair, ...seen.filter((attribute) => attribute !== undefined)].join(';')
}

function attributeForClient(view: View, attribute: string): string | undefined {
  const equals = attribute.indexOf('=')
  const value = attribute.slice(equals + 1).trim()
  switch (equals < 0 ? '' : attribute.slice(0, equals).trim().toLowerCase()) {
    case 'path':
      return ` Path=${pathForClient(view, value)}`
    case 'domain':
      return isClients(view, value) ? attribute : undefined
    default:
      return attribute
  }
}

function pathForClient({ directory, base }: View, path: string): string {
  return directory.prefixField === undefined ? (clientPath(directory, base, path) ?? path) : path
}

/** Whether a domain holds the host that the client calls us by (RFC 6265 section 5.1.3). */
function isClients({ clientAuthority = '' }: View, domain: string): boolean {
  const host = clientAuthority.toLowerCase().replace(/:\d+$/, '')
  const wanted = domain.toLowerCase().replace(/^\./, '')
  return host === wanted || host.endsWith(`.${wanted}`)
}

// SPDX-License-Identifier: MIT
import { type CookieNames, setCookie } from './cookies.js'

/** Characters of a user name that the page takes, and shows again. */
export const LONGEST_NAME = 512

/** The line that hands a name, as it was filled in, to the page that a browser is sent to; empty where none was. */
export function handOver(names: CookieNames, name: string | null): string {
  const kept = (name ?? '').slice(0, LONGEST_NAME)
  return kept === '' ? '' : setCookie(names.user, Buffer.from(kept).toString('base64url'), names, 'Strict')
}

/** The name that came with such a cookie. A browser's cookies may be anybody's: it is text to be shown, and nothing else. */
export function handedOver(cookie: string | undefined): string {
  return Buffer.from(cookie ?? '', 'base64url')
    .toString()
    .slice(0, LONGEST_NAME)
}

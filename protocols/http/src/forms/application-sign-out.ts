// SPDX-License-Identifier: MIT
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'

/** What a directory may list: a path below the mount, `*` for one segment of it, and one parameter of the query. */
export const SIGN_OUT_PATTERN = /^(?:\/[\w.~*-]*)+(?:\?[\w.~-]+=[\w.~-]+)?$/

/** Whether a request is the application's own sign-out, by what its directory lists. */
export function isApplicationSignOut({ directory: { signOut }, rest }: Placed, { query }: Incoming): boolean {
  return signOut.some((listed) => {
    const [path = '', parameter] = listed.split('?')
    if (parameter !== undefined && !query.slice(1).split('&').includes(parameter)) return false
    const [wanted, asked] = [path.split('/'), (rest === '' ? '/' : rest).split('/')]
    return wanted.length === asked.length && wanted.every((part, at) => part === '*' || part === asked[at])
  })
}

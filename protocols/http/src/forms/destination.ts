// SPDX-License-Identifier: MIT
import { readTarget } from '../directory/target.js'

const LONGEST = 2048

/**
 * Where a sign-in leads to, as text of the client: a path of this server in its one normal form, with its query. `undefined` for
 * everything by which a browser or another server could be led elsewhere: another origin, two slashes or backslashes in any
 * spelling, dot segments, control characters, and what is no ASCII.
 */
export function safeDestination(text: string): string | undefined {
  if (text.length > LONGEST || !/^\/[\x21-\x7e]*$/.test(text) || text.includes('\\') || text.startsWith('//')) {
    return undefined
  }
  const target = readTarget(text)
  if (target.kind !== 'path' || /(?:\/|%2F)%2F/.test(target.path)) return undefined
  return /%(?:0[0-9a-f]|1[0-9a-f]|7f)/i.test(target.query) ? undefined : target.path + target.query
}

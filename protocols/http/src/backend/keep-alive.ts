// SPDX-License-Identifier: MIT
import { Field, type Fields } from '../codec/fields.js'

/** A request that we begin so shortly before the backend's time is up may cross its end on the way. Milliseconds. */
const MARGIN = 1_000

/**
 * For how long a connection may rest by what its backend says of it (`Keep-Alive: timeout=N`, in seconds; RFC 2068 section 19.7.1),
 * in milliseconds, with a margin; no limit where it says nothing that can be read.
 */
export function longestRest(fields: Fields): number {
  const said = fields.first(Field.keepAlive)
  if (said === undefined) return Number.POSITIVE_INFINITY
  const [, seconds] = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})\b/i.exec(said) ?? []
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds) * 1_000 - MARGIN)
}

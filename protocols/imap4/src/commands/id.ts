// SPDX-License-Identifier: MIT
import { MAX_HOPS } from '@portico/routing'
import { type CommandHandler, DONE } from '../context.js'
import { quoted, textOf, type Value } from '../parse.js'
import { malformed } from './arguments.js'

/** RFC 2971 section 3.3: at most 30 pairs, keys of at most 30 octets, values of at most 1024. */
const MOST_PAIRS = 30

/**
 * ID (RFC 2971 section 3.1). Nothing of it is believed or kept, except that another proxy, if it is a trusted peer, says how
 * many more proxies the session may pass: that ends loops.
 */
export const id: CommandHandler = (context, { tag, args }) => {
  const pairs = args.length === 1 ? idPairs(args[0]) : undefined
  if (pairs === undefined) return malformed(context, tag)
  const ttl = pairs.get('x-proxy-ttl')
  if (context.session.trusted && ttl !== undefined && /^\d{1,3}$/.test(ttl)) context.session.hops = hopsOf(Number(ttl))
  context.dialogue.write(`* ID ${formatId(context.settings.id)}\r\n${tag} OK ID completed\r\n`)
  return DONE
}

/** How many proxies a session has passed that may pass `ttl` more; at 0 it was one too many. */
function hopsOf(ttl: number): number {
  return ttl === 0 ? MAX_HOPS + 1 : Math.max(0, MAX_HOPS - ttl)
}

/** The pairs of an ID argument, keys in lower case; `undefined` when it breaks the grammar. NIL values are left out. */
export function idPairs(value: Value | undefined): ReadonlyMap<string, string> | undefined {
  if (value?.kind === 'atom') return isNil(value) ? new Map() : undefined
  if (value?.kind !== 'list' || value.items.length % 2 !== 0 || value.items.length > 2 * MOST_PAIRS) return undefined
  const pairs = new Map<string, string>()
  for (let at = 0; at < value.items.length; at += 2) {
    const [key, item] = [value.items[at], value.items[at + 1]]
    if (key?.kind !== 'string' || key.octets.length > 30 || item === undefined) return undefined
    if (isNil(item)) continue
    if (item.kind !== 'string' || item.octets.length > 1024) return undefined
    pairs.set(key.octets.toLowerCase(), textOf(item) ?? '')
  }
  return pairs
}

/** An ID argument: a list of pairs of strings, or NIL. Pairs that no quoted string can carry are left out. */
export function formatId(pairs: Readonly<Record<string, string>>): string {
  const items = Object.entries(pairs).flatMap(([key, value]) => {
    const [quotedKey, quotedValue] = [quoted(key), quoted(value)]
    return quotedKey === undefined || quotedValue === undefined ? [] : [`${quotedKey} ${quotedValue}`]
  })
  return items.length === 0 ? 'NIL' : `(${items.join(' ')})`
}

function isNil(value: Value): boolean {
  return value.kind === 'atom' && value.octets.toUpperCase() === 'NIL'
}

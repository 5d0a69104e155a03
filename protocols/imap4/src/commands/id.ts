// SPDX-License-Identifier: MIT
import { DONE, takeForwarded } from '@portico/session'
import type { CommandHandler } from '../context.js'
import { quoted, textOf, type Value } from '../parse.js'
import { malformed } from './arguments.js'

/** RFC 2971 section 3.3: at most 30 pairs, keys of at most 30 octets, values of at most 1024. */
const MOST_PAIRS = 30

/** What is said of a session and not of a program: proxies put it there, so that nobody else's word for it counts. */
const ABOUT_SESSION = /^x-(?:originating|connected|session|proxy|client|forward)-/

/**
 * ID (RFC 2971 section 3.1). What it says of the client's program goes to the backend with our own ID. What it says of the session
 * (`x-originating-ip`, `x-proxy-ttl` and their like) is believed of the site's proxies. Anybody else's word for it is dropped, also
 * behind a trusted balancer, which passes on what its clients say: else every client could choose its own address, and the loop
 * protection would count whatever it likes.
 */
export const id: CommandHandler = (context, { tag, args }) => {
  const { session, settings, dialogue } = context
  const pairs = args.length === 1 ? idPairs(args[0]) : undefined
  if (pairs === undefined) return malformed(context, tag)
  const taken = takeForwarded(session, {
    address: pairs.get('x-originating-ip'),
    port: pairs.get('x-originating-port'),
    localAddress: pairs.get('x-connected-ip'),
    localPort: pairs.get('x-connected-port'),
    ttl: pairs.get('x-proxy-ttl'),
    sessionId: pairs.get('x-session-id'),
  })
  // A proxy that speaks for clients and cannot be understood must not have them all taken for itself.
  if (session.isProxy && !taken) return malformed(context, tag)
  context.clientId = new Map([...pairs].filter(([key]) => !ABOUT_SESSION.test(key)))
  dialogue.write(`* ID ${formatId(new Map(Object.entries(settings.id)))}\r\n${tag} OK ID completed\r\n`)
  return DONE
}

/** The pairs of an ID argument, keys in lower case; `undefined` when it breaks the grammar. NIL values are left out. */
export function idPairs(value: Value | undefined): ReadonlyMap<string, string> | undefined {
  if (value?.kind === 'atom') return isNil(value) ? new Map() : undefined
  if (value?.kind !== 'list' || value.items.length % 2 !== 0 || value.items.length > 2 * MOST_PAIRS) return undefined
  const pairs = new Map<string, string>()
  const seen = new Set<string>()
  for (let at = 0; at < value.items.length; at += 2) {
    const [key, item] = [value.items[at], value.items[at + 1]]
    if (key?.kind !== 'string' || key.octets.length > 30 || item === undefined) return undefined
    const name = key.octets.toLowerCase()
    // No name may come twice (RFC 2971 section 3.3): two answers to one question are none.
    if (seen.size === seen.add(name).size) return undefined
    if (isNil(item)) continue
    const text = item.kind === 'string' && item.octets.length <= 1024 ? textOf(item) : undefined
    if (text === undefined) return undefined
    pairs.set(name, text)
  }
  return pairs
}

/** An ID argument: a list of pairs of strings, or NIL. Pairs that no quoted string can carry are left out. */
export function formatId(pairs: ReadonlyMap<string, string>): string {
  const items = [...pairs].slice(0, MOST_PAIRS).flatMap(([key, value]) => {
    const [quotedKey, quotedValue] = [quoted(key), quoted(value)]
    return quotedKey === undefined || quotedValue === undefined ? [] : [`${quotedKey} ${quotedValue}`]
  })
  return items.length === 0 ? 'NIL' : `(${items.join(' ')})`
}

function isNil(value: Value): boolean {
  return value.kind === 'atom' && value.octets.toUpperCase() === 'NIL'
}

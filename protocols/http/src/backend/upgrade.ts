// SPDX-License-Identifier: MIT
import type { Incoming } from '../client/incoming.js'
import { Field, type Fields } from '../codec/fields.js'
import type { ResponseHead } from '../codec/head.js'
import { connectionOptions } from './headers.js'

const NONE: readonly string[] = []

/**
 * The protocols to which a request may take its connection over (RFC 9110 section 7.8), in lower case: those that the client asks
 * for and its directory allows. None for HTTP/1.0, and none beside a body, whose end and the new protocol's beginning two servers
 * could see at different places.
 */
export function upgradesOf({ head, options, body }: Incoming, allowed: readonly string[]): readonly string[] {
  const { fields, minor } = head
  if (allowed.length === 0 || minor === 0 || body.kind !== 'none' || options.listed?.has('upgrade') !== true) {
    return NONE
  }
  return [...new Set(namedIn(fields))].filter((protocol) => allowed.includes(protocol))
}

/** The protocol that a backend's 101 changes to; `undefined` when it is not one of those that were asked for. */
export function upgradeGiven({ fields }: ResponseHead, asked: readonly string[]): string | undefined {
  const [protocol, ...more] = namedIn(fields)
  if (protocol === undefined || more.length > 0 || !asked.includes(protocol)) return undefined
  return connectionOptions(fields).listed?.has('upgrade') === true ? protocol : undefined
}

function namedIn(fields: Fields): string[] {
  const named = fields.all(Field.upgrade)?.toLowerCase().split(',') ?? []
  return named.map((protocol) => protocol.trim()).filter((protocol) => protocol !== '')
}

// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { AuthContext } from '@portico/auth'
import { unmapped } from '@portico/base'
import { Field, type Fields } from './codec/fields.js'

/** The client's address as a trusted balancer reported it: the last entry of X-Forwarded-For, which is the one it wrote itself. */
export function forwardedPeer(fields: Fields): string | undefined {
  const last = fields.all(Field.forwardedFor)?.split(',').at(-1)?.trim()
  return last !== undefined && isIP(last) !== 0 ? unmapped(last) : undefined
}

/** The context of one request: behind a trusted balancer each request may come from another client. */
export function requestContext(context: AuthContext, fields: Fields, trusted: boolean): AuthContext {
  const address = trusted ? forwardedPeer(fields) : undefined
  if (address === undefined) return context
  const peer = { address, port: 0, family: isIP(address) === 6 ? 6 : 4 } as const
  return { ...context, client: { ...context.client, peer } }
}

/** The value of X-Forwarded-For: what a trusted peer said, and who spoke to us. */
export function forwardedFor(fields: Fields, peer: string, trusted: boolean): string {
  const before = trusted ? fields.all(Field.forwardedFor) : undefined
  return before === undefined ? peer : `${before}, ${peer}`
}

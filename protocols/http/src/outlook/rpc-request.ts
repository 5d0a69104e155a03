// SPDX-License-Identifier: MIT
import type { Incoming } from '../client/incoming.js'
import type { Fields } from '../codec/fields.js'
import { readRpcServer } from './rpc-server.js'

/** One half of a virtual connection of RPC over HTTP, which is one request ([MS-RPCH] section 3.2.1.1.3). */
export interface Channel {
  readonly kind: 'channel'
  readonly direction: 'in' | 'out'
  /** Of the server that the client asks for. */
  readonly port: number
  /** It may be silent so long, in milliseconds, as its client asks; 0 when that does not say. */
  readonly mayRest: number
}

/** What a request to an RPC proxy is. */
export type RpcRequest =
  | Channel
  /** Is an RPC proxy here ([MS-RPCH] section 2.1.2.1.5)? */
  | { readonly kind: 'echo' }
  | {
      readonly kind: 'refused'
      readonly status: 400 | 404 | 405
      /** A closed word for the log. */
      readonly why: 'bad-rpc-method' | 'bad-rpc-path' | 'bad-rpc-server' | 'bad-rpc-port' | 'bad-rpc-length'
    }

const KIB = 1024
const GIB = 1024 ** 3

/** Longest body of an echo request, in octets. */
const LONGEST_ECHO = 0x10
/** Body of an IN channel, in octets, both ends included ([MS-RPCH] section 2.1.2.1.1). */
const IN_LENGTHS = { least: 128 * KIB, most: 2 * GIB }
/** Body of an OUT channel, and of one that replaces another ([MS-RPCH] section 2.1.2.1.2). */
const OUT_LENGTHS = new Set([76, 120])
/** What a client may ask for as the least connection time-out, in seconds ([MS-RPCH] section 2.1.2.1.1). */
const SHORTEST_REST = 120
const LONGEST_REST = 14_400

const DIRECTIONS: ReadonlyMap<string, Channel['direction']> = new Map([
  ['RPC_IN_DATA', 'in'],
  ['RPC_OUT_DATA', 'out'],
])

/** Whether only RPC over HTTP has the method. It knows no HTTP/2: a channel is a connection ([MS-RPCH] section 2.1.2.1). */
export function isRpcMethod(method: string): boolean {
  return DIRECTIONS.has(method)
}

/** Reads a request below a mount; `ports` are those that a client may ask for. */
export function readRpcRequest(request: Incoming, rest: string, ports: readonly number[]): RpcRequest {
  const { head, body, query } = request
  const direction = DIRECTIONS.get(head.method)
  if (direction === undefined) return refused(405, 'bad-rpc-method')
  if (rest.toLowerCase() !== '/rpcproxy.dll') return refused(404, 'bad-rpc-path')
  const asked = readRpcServer(query)
  if (asked === undefined && query !== '') return refused(400, 'bad-rpc-server')
  if (asked !== undefined && !ports.includes(asked.port)) return refused(400, 'bad-rpc-port')
  const length = body.kind === 'none' ? 0 : body.kind === 'length' ? body.length : undefined
  if (length !== undefined && length <= LONGEST_ECHO) return { kind: 'echo' }
  if (length === undefined || !isChannelLength(direction, length)) return refused(400, 'bad-rpc-length')
  if (asked === undefined) return refused(400, 'bad-rpc-server')
  return { kind: 'channel', direction, port: asked.port, mayRest: restOf(head.fields) }
}

function isChannelLength(direction: Channel['direction'], length: number): boolean {
  return direction === 'out' ? OUT_LENGTHS.has(length) : length >= IN_LENGTHS.least && length <= IN_LENGTHS.most
}

/** The directive MinConnTimeout of Pragma, in milliseconds; what is out of its range counts for nothing. */
function restOf(fields: Fields): number {
  for (let index = 0; index < fields.count; index += 1) {
    if (!fields.isNamed(index, 'pragma')) continue
    const seconds = Number(/(?:^|,)\s*minconntimeout=(\d{1,6})\s*(?:,|$)/i.exec(fields.value(index))?.[1])
    if (seconds >= SHORTEST_REST && seconds <= LONGEST_REST) return seconds * 1_000
  }
  return 0
}

function refused(
  status: 400 | 404 | 405,
  why: Extract<RpcRequest, { kind: 'refused' }>['why'],
): Extract<RpcRequest, { kind: 'refused' }> {
  return { kind: 'refused', status, why }
}

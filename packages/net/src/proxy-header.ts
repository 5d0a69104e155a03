// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import type { Endpoint } from '@portico/base'
import { canonicalAddress } from './ipv6-text.js'
import type { Octets } from './leg.js'
import { parseV2 } from './proxy-v2.js'

/** What a PROXY header said (the PROXY protocol, versions 1 and 2). `length`: octets of the header; what follows is the client's. */
export interface ProxyHeader {
  readonly kind: 'header'
  readonly length: number
  /** The balancer speaks for itself (LOCAL) or does not know (UNKNOWN): the socket's own addresses hold. */
  readonly local: boolean
  readonly source?: Endpoint
  readonly destination?: Endpoint
  /** The balancer took TLS off. */
  readonly tls?: ForwardedTls
  readonly authority?: string
  readonly alpn?: string
  /** What the balancer calls the connection. */
  readonly uniqueId?: string
}

export interface ForwardedTls {
  readonly version: string | undefined
  /** A client certificate was shown, on this connection or in the TLS session that it resumed, and the balancer verified it. */
  readonly clientVerified: boolean
  /** The common name of its subject; absent too when it is not UTF-8 or holds control characters. */
  readonly cn?: string
}

export type ProxyParse = ProxyHeader | { readonly kind: 'need-more' } | { readonly kind: 'bad'; readonly why: string }

/** Longest header of version 1, with its CRLF. */
const V1_LONGEST = 107
const V1_START = Buffer.from('PROXY ')
export const V2_SIGNATURE: Buffer = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** Reads a header of either version from the start of `bytes`. Pure: call it again with more octets after `need-more`. */
export function parseProxyHeader(bytes: Octets): ProxyParse {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length === 0) return { kind: 'need-more' }
  if (startsLike(buffer, V2_SIGNATURE)) {
    return buffer.length < V2_SIGNATURE.length + 4 ? { kind: 'need-more' } : parseV2(buffer)
  }
  if (startsLike(buffer, V1_START)) return parseV1(buffer)
  return { kind: 'bad', why: 'no PROXY header' }
}

/** Whether the shorter of the two is the beginning of the longer. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyParse {
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n')
  if (end < 0)
    return bytes.length < V1_LONGEST ? { kind: 'need-more' } : { kind: 'bad', why: 'version 1 header too long' }
  const length = end + 2
  const [, family = '', source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  if (family === 'UNKNOWN') return { kind: 'header', length, local: true }
  if ((family !== 'TCP4' && family !== 'TCP6') || rest.length > 0) return { kind: 'bad', why: 'version 1 syntax' }
  const from = v1Endpoint(family, source, sourcePort)
  const to = v1Endpoint(family, destination, destinationPort)
  if (from === undefined || to === undefined) return { kind: 'bad', why: 'version 1 address' }
  return { kind: 'header', length, local: false, source: from, destination: to }
}

function v1Endpoint(family: 'TCP4' | 'TCP6', address: string, port: string): Endpoint | undefined {
  if (isIP(address) !== (family === 'TCP4' ? 4 : 6) || address.includes('%')) return undefined
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined
  const plain = canonicalAddress(address)
  return { address: plain, port: Number(port), family: plain.includes(':') ? 6 : 4 }
}

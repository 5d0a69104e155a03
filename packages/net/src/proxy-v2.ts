// SPDX-License-Identifier: MIT
import { isUtf8 } from 'node:buffer'
import { type Endpoint, unmapped } from '@portico/base'
import { crc32c } from './crc32c.js'
import { formatV6 } from './ipv6-text.js'
import type { ForwardedTls, ProxyParse } from './proxy-header.js'
import { SSL_CLIENT, TLV } from './proxy-tlv.js'

/** Whole header of version 2: addresses, a name, a unique id and the facts of TLS and certificate together stay below it. */
const V2_LONGEST = 2_048
const PREFIX = 16
const CLIENT_CERT = SSL_CLIENT.certificate | SSL_CLIENT.certificateOfSession

/** Octets of the address block by family (the high half of octet 13). */
const ADDRESS_LENGTH: readonly number[] = [0, 12, 36, 216]

/** Reads a version 2 header whose signature and fixed part are there. */
export function parseV2(bytes: Buffer): ProxyParse {
  const command = bytes.readUInt8(12)
  const length = PREFIX + bytes.readUInt16BE(14)
  if (command !== 0x20 && command !== 0x21) return bad('version 2 command')
  if (length > V2_LONGEST) return bad('version 2 header too long')
  if (bytes.length < length) return { kind: 'need-more' }
  const header = bytes.subarray(0, length)
  const family = header.readUInt8(13) >> 4
  const transport = header.readUInt8(13) & 0x0f
  if (family > 3 || transport > 2) return bad('version 2 family')
  // A LOCAL header's addresses are to be ignored, whatever they hold.
  if (command === 0x20) return { kind: 'header', length, local: true }
  const addressLength = ADDRESS_LENGTH[family] ?? 0
  if (PREFIX + addressLength > length) return bad('version 2 address')
  const tlvs = readTlvs(header, PREFIX + addressLength)
  if (tlvs === undefined) return bad('version 2 TLV')
  if (!checksumHolds(header, tlvs)) return bad('version 2 checksum')
  return describe(header, family, transport, tlvs)
}

function bad(why: string): ProxyParse {
  return { kind: 'bad', why }
}

function describe(header: Buffer, family: number, transport: number, tlvs: readonly Tlv[]): ProxyParse {
  const ssl = tlvValue(tlvs, TLV.ssl)
  const tls = ssl === undefined ? 'none' : readSsl(ssl)
  const uniqueId = tlvValue(tlvs, TLV.uniqueId)
  if (tls === 'bad') return bad('version 2 SSL TLV')
  if (uniqueId !== undefined && uniqueId.length > 128) return bad('version 2 unique id')
  const alpn = tlvValue(tlvs, TLV.alpn)?.toString('latin1')
  const authority = tlvValue(tlvs, TLV.authority)?.toString('utf8')
  const ends = addresses(header, family)
  // These become texts of logs and of what backends are told.
  const texts = [alpn, authority, ends.source?.address, ends.destination?.address]
  if (texts.some((text) => text !== undefined && /[\x00-\x1f\x7f]/.test(text)))
    return bad('version 2 control characters')
  return {
    kind: 'header',
    length: header.length,
    local: family === 0 || transport === 0,
    ...ends,
    ...(tls === 'none' ? {} : { tls }),
    ...(authority === undefined ? {} : { authority }),
    ...(alpn === undefined ? {} : { alpn }),
    ...(uniqueId === undefined ? {} : { uniqueId: uniqueId.toString('utf8') }),
  }
}

function addresses(header: Buffer, family: number): { readonly source?: Endpoint; readonly destination?: Endpoint } {
  if (family === 1) {
    return {
      source: endpoint4(header, PREFIX, PREFIX + 8),
      destination: endpoint4(header, PREFIX + 4, PREFIX + 10),
    }
  }
  if (family === 2) {
    return {
      source: endpoint6(header, PREFIX, PREFIX + 32),
      destination: endpoint6(header, PREFIX + 16, PREFIX + 34),
    }
  }
  if (family === 3) return { source: unixEnd(header, PREFIX), destination: unixEnd(header, PREFIX + 108) }
  return {}
}

function endpoint4(header: Buffer, at: number, portAt: number): Endpoint {
  return { address: header.subarray(at, at + 4).join('.'), port: header.readUInt16BE(portAt), family: 4 }
}

function endpoint6(header: Buffer, at: number, portAt: number): Endpoint {
  const address = unmapped(formatV6(header.subarray(at, at + 16)))
  return { address, port: header.readUInt16BE(portAt), family: address.includes(':') ? 6 : 4 }
}

function unixEnd(header: Buffer, at: number): Endpoint {
  const path = header.subarray(at, at + 108)
  const end = path.indexOf(0)
  return { address: path.toString('utf8', 0, end < 0 ? path.length : end), port: 0, family: 'unix' }
}

interface Tlv {
  readonly type: number
  /** Where the value lies in the header. */
  readonly at: number
  readonly value: Buffer
}

function readTlvs(bytes: Buffer, start: number): readonly Tlv[] | undefined {
  const tlvs: Tlv[] = []
  let at = start
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return undefined
    const end = at + 3 + bytes.readUInt16BE(at + 1)
    if (end > bytes.length) return undefined
    tlvs.push({ type: bytes.readUInt8(at), at: at + 3, value: bytes.subarray(at + 3, end) })
    at = end
  }
  return tlvs
}

function tlvValue(tlvs: readonly Tlv[], type: number): Buffer | undefined {
  return tlvs.find((tlv) => tlv.type === type)?.value
}

/** The checksum is computed with its own four octets as zero. */
function checksumHolds(header: Buffer, tlvs: readonly Tlv[]): boolean {
  const tlv = tlvs.find(({ type }) => type === TLV.crc32c)
  if (tlv === undefined) return true
  if (tlv.value.length !== 4) return false
  const zeroed = Buffer.from(header)
  zeroed.fill(0, tlv.at, tlv.at + 4)
  return crc32c(zeroed) === tlv.value.readUInt32BE(0)
}

function readSsl(value: Buffer): ForwardedTls | 'none' | 'bad' {
  if (value.length < 5) return 'bad'
  const client = value.readUInt8(0)
  if ((client & SSL_CLIENT.ssl) === 0) return 'none'
  const inner = readTlvs(value, 5)
  if (inner === undefined) return 'bad'
  const cn = nameOf(tlvValue(inner, TLV.sslCommonName))
  return {
    version: tlvValue(inner, TLV.sslVersion)?.toString('latin1'),
    // The field for the result of verification is 0 only when a certificate was shown and is good.
    clientVerified: (client & CLIENT_CERT) !== 0 && value.readUInt32BE(1) === 0,
    ...(cn === undefined ? {} : { cn }),
  }
}

/** Two people must not become one by what a lenient decoder makes of their names. */
function nameOf(value: Buffer | undefined): string | undefined {
  if (value === undefined || value.length === 0 || !isUtf8(value)) return undefined
  const text = value.toString('utf8')
  return /\p{Cc}/u.test(text) ? undefined : text
}

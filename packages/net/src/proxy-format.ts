// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { parseV4, parseV6 } from './ipv6-text.js'
import type { TlsFacts } from './leg.js'
import { V2_SIGNATURE } from './proxy-header.js'
import { SSL_CLIENT, TLV } from './proxy-tlv.js'

/** What version 2 can say besides the addresses. */
export interface ProxyFacts {
  /** The connection from the client, where it is encrypted. */
  readonly tls?: Pick<TlsFacts, 'version' | 'cipher' | 'alpn' | 'servername' | 'clientCertificate'> | undefined
  /** Of the session, at most 128 octets. */
  readonly uniqueId?: string
}

/**
 * Writes a PROXY header for a backend. Ends of different families, and Unix sockets in version 1, are written as unknown.
 * `facts` are for version 2; version 1 has no place for them.
 */
export function formatProxyHeader(
  version: 1 | 2,
  source: Endpoint,
  destination: Endpoint,
  facts: ProxyFacts = {},
): Buffer {
  return version === 1 ? formatV1(source, destination) : formatV2(source, destination, facts)
}

/** The header of a connection that is made for no client: its own addresses hold. */
export function formatLocalProxyHeader(version: 1 | 2): Buffer {
  return version === 1 ? Buffer.from('PROXY UNKNOWN\r\n') : v2Header(0x20, 0x00, Buffer.alloc(0))
}

function formatV1(source: Endpoint, destination: Endpoint): Buffer {
  if (source.family === 'unix' || destination.family === 'unix') return Buffer.from('PROXY UNKNOWN\r\n')
  const six = source.family === 6 || destination.family === 6
  const text = ({ address, family }: Endpoint) => (six && family === 4 ? `::ffff:${address}` : address)
  const family = six ? 'TCP6' : 'TCP4'
  return Buffer.from(`PROXY ${family} ${text(source)} ${text(destination)} ${source.port} ${destination.port}\r\n`)
}

function formatV2(source: Endpoint, destination: Endpoint, { tls, uniqueId }: ProxyFacts): Buffer {
  const { code, block } = addressBlock(source, destination)
  const tlvs = [
    ...textTlv(TLV.alpn, tls?.alpn, 255),
    ...textTlv(TLV.authority, tls?.servername, 255),
    ...textTlv(TLV.uniqueId, uniqueId, 128),
    ...(tls === undefined ? [] : [sslTlv(tls)]),
  ]
  return v2Header(0x21, code, Buffer.concat([block, ...tlvs]))
}

function v2Header(command: number, code: number, rest: Buffer): Buffer {
  const header = Buffer.alloc(V2_SIGNATURE.length + 4)
  V2_SIGNATURE.copy(header)
  header.writeUInt8(command, 12)
  header.writeUInt8(code, 13)
  header.writeUInt16BE(rest.length, 14)
  return Buffer.concat([header, rest])
}

function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0])
  head.writeUInt16BE(value.length, 1)
  return Buffer.concat([head, value])
}

/** Nothing for what is absent, and for what is too long to be what it should be. */
function textTlv(type: number, text: string | undefined, most: number): readonly Buffer[] {
  const value = Buffer.from(text ?? '', 'utf8')
  return value.length === 0 || value.length > most ? [] : [tlv(type, value)]
}

/** How the client's TLS ended here. `verify` is 0 only for a client certificate that was shown and found good. */
function sslTlv({ version, cipher, clientCertificate }: NonNullable<ProxyFacts['tls']>): Buffer {
  const fixed = Buffer.alloc(5)
  fixed.writeUInt8(clientCertificate === undefined ? SSL_CLIENT.ssl : SSL_CLIENT.ssl | SSL_CLIENT.certificate, 0)
  fixed.writeUInt32BE(clientCertificate?.authorized === true ? 0 : 1, 1)
  const inner = [...textTlv(TLV.sslVersion, version, 32), ...textTlv(TLV.sslCipher, cipher, 64)]
  return tlv(TLV.ssl, Buffer.concat([fixed, ...inner]))
}

function addressBlock(source: Endpoint, destination: Endpoint): { readonly code: number; readonly block: Buffer } {
  const unix = Number(source.family === 'unix') + Number(destination.family === 'unix')
  if (unix === 1) return { code: 0x00, block: Buffer.alloc(0) }
  if (unix === 2) return { code: 0x31, block: Buffer.concat([unixPath(source), unixPath(destination)]) }
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(source.port, 0)
  ports.writeUInt16BE(destination.port, 2)
  if (source.family === 4 && destination.family === 4) {
    return { code: 0x11, block: Buffer.concat([parseV4(source.address), parseV4(destination.address), ports]) }
  }
  return { code: 0x21, block: Buffer.concat([octets6(source), octets6(destination), ports]) }
}

function unixPath({ address }: Endpoint): Buffer {
  const block = Buffer.alloc(108)
  block.write(address.slice(0, 107), 'utf8')
  return block
}

function octets6({ address, family }: Endpoint): Buffer {
  return family === 4
    ? Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), parseV4(address)])
    : parseV6(address)
}

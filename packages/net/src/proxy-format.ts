// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { parseV4, parseV6 } from './ipv6-text.js'
import { V2_SIGNATURE } from './proxy-header.js'

/** Writes a PROXY header for a backend. Ends of different families, and Unix sockets in version 1, are written as unknown. */
export function formatProxyHeader(version: 1 | 2, source: Endpoint, destination: Endpoint): Buffer {
  return version === 1 ? formatV1(source, destination) : formatV2(source, destination)
}

function formatV1(source: Endpoint, destination: Endpoint): Buffer {
  if (source.family === 'unix' || destination.family === 'unix') return Buffer.from('PROXY UNKNOWN\r\n')
  const six = source.family === 6 || destination.family === 6
  const text = ({ address, family }: Endpoint) => (six && family === 4 ? `::ffff:${address}` : address)
  const family = six ? 'TCP6' : 'TCP4'
  return Buffer.from(`PROXY ${family} ${text(source)} ${text(destination)} ${source.port} ${destination.port}\r\n`)
}

function formatV2(source: Endpoint, destination: Endpoint): Buffer {
  const { code, block } = addressBlock(source, destination)
  const header = Buffer.alloc(V2_SIGNATURE.length + 4)
  V2_SIGNATURE.copy(header)
  header.writeUInt8(0x21, 12)
  header.writeUInt8(code, 13)
  header.writeUInt16BE(block.length, 14)
  return Buffer.concat([header, block])
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

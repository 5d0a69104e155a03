// SPDX-License-Identifier: MIT

/** Signature algorithms by the hex of their DER object identifier, with their hash (RFC 3279, 4055, 5758). */
const HASHES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'md5',
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
}
/** Hash functions as RSASSA-PSS names them (RFC 5754 section 2). */
const PLAIN_HASHES: Readonly<Record<string, string>> = {
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
  '2b0e03021a': 'sha1',
}
const RSASSA_PSS = '2a864886f70d01010a'

/**
 * The hash that `tls-server-end-point` takes of a certificate: that of its signature, MD5 and SHA-1 replaced by SHA-256
 * (RFC 5929 section 4.1). Undefined where the signature has no single hash (Ed25519) or is not known: offer no such binding.
 */
export function endPointHash(der: Uint8Array): string | undefined {
  try {
    const certificate = element(der, 0)
    const body = element(der, certificate.start)
    const algorithm = element(der, body.end)
    const id = element(der, algorithm.start)
    const oid = hex(der, id)
    const hash = oid === RSASSA_PSS ? pssHash(der, id.end, algorithm.end) : HASHES[oid]
    return hash === 'md5' || hash === 'sha1' ? 'sha256' : hash
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** RSASSA-PSS-params: [0] AlgorithmIdentifier, SHA-1 when absent (RFC 4055 section 3.1). */
function pssHash(der: Uint8Array, start: number, end: number): string | undefined {
  if (start >= end) return 'sha1'
  const parameters = element(der, start)
  if (parameters.start === parameters.end || der[parameters.start] !== 0xa0) return 'sha1'
  const tagged = element(der, parameters.start)
  const algorithm = element(der, tagged.start)
  return PLAIN_HASHES[hex(der, element(der, algorithm.start))]
}

interface Element {
  readonly start: number
  readonly end: number
}

/** One DER element: where its content lies (X.690 section 8.1.3). */
function element(der: Uint8Array, at: number): Element {
  const first = octet(der, at + 1)
  if (first < 0x80) return within(der, at + 2, first)
  const count = first & 0x7f
  if (count === 0 || count > 3) throw new RangeError('DER length')
  let length = 0
  for (let i = 0; i < count; i += 1) length = length * 256 + octet(der, at + 2 + i)
  return within(der, at + 2 + count, length)
}

function within(der: Uint8Array, start: number, length: number): Element {
  if (start + length > der.length) throw new RangeError('DER end')
  return { start, end: start + length }
}

function octet(der: Uint8Array, at: number): number {
  const value = der[at]
  if (value === undefined) throw new RangeError('DER end')
  return value
}

function hex(der: Uint8Array, { start, end }: Element): string {
  return Buffer.from(der.subarray(start, end)).toString('hex')
}

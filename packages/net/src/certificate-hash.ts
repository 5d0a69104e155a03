// SPDX-License-Identifier: MIT
import { derElement, derHex } from '@portico/base'

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
    const certificate = derElement(der, 0)
    const body = derElement(der, certificate.start)
    const algorithm = derElement(der, body.end)
    const id = derElement(der, algorithm.start)
    const oid = derHex(der, id)
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
  const parameters = derElement(der, start)
  if (parameters.start === parameters.end || der[parameters.start] !== 0xa0) return 'sha1'
  const tagged = derElement(der, parameters.start)
  const algorithm = derElement(der, tagged.start)
  return PLAIN_HASHES[derHex(der, derElement(der, algorithm.start))]
}

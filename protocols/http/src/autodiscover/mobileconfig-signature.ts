// SPDX-License-Identifier: MIT
import { createHash, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { derElement, derOf } from '@portico/base'

/** Who signs profiles. */
export interface ProfileSigner {
  readonly key: KeyObject
  /** DER: the certificate of the key, then those that lead to its authority. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

const SEQUENCE = 0x30
const SET = 0x31
const OCTET_STRING = 0x04
const INTEGER = 0x02
const NULL = derOf(0x05)

const oid = (hex: string): Buffer => derOf(0x06, Buffer.from(hex, 'hex'))
const DATA = oid('2a864886f70d010701')
const SIGNED_DATA = oid('2a864886f70d010702')
const CONTENT_TYPE = oid('2a864886f70d010903')
const MESSAGE_DIGEST = oid('2a864886f70d010904')
const SIGNING_TIME = oid('2a864886f70d010905')
const SHA256 = derOf(SEQUENCE, oid('608648016503040201'))

/** Signature algorithms by kind of key (RFC 3370 section 3.2, RFC 5754 section 3.3). */
const SIGNATURES: Readonly<Record<string, Buffer>> = {
  rsa: derOf(SEQUENCE, oid('2a864886f70d01010b'), NULL),
  ec: derOf(SEQUENCE, oid('2a8648ce3d040302')),
}

/** Whether profiles can be signed by such a key: devices know RSA and ECDSA. */
export function canSign({ asymmetricKeyType }: KeyObject): boolean {
  return asymmetricKeyType !== undefined && Object.hasOwn(SIGNATURES, asymmetricKeyType)
}

const signElsewhere = promisify(sign)

/**
 * A profile within its signature: SignedData with SHA-256 (RFC 5652 section 5). A large RSA key takes milliseconds, and strangers may
 * ask: that is the thread pool's work.
 */
export async function signedProfile(
  profile: string,
  { key, certificates }: ProfileSigner,
  wallNow: number,
): Promise<Buffer> {
  const content = Buffer.from(profile)
  const attributes = derSet([
    attribute(CONTENT_TYPE, DATA),
    attribute(MESSAGE_DIGEST, derOf(OCTET_STRING, createHash('sha256').update(content).digest())),
    attribute(SIGNING_TIME, timeOf(wallNow)),
  ])
  const signerInfo = derOf(
    SEQUENCE,
    version(1),
    signerOf(certificates[0]),
    SHA256,
    // They are signed as the set that they are, and written as [0] (section 5.4).
    retagged(0xa0, attributes),
    SIGNATURES[key.asymmetricKeyType ?? ''] ?? NULL,
    derOf(OCTET_STRING, await signElsewhere('sha256', attributes, key)),
  )
  const signedData = derOf(
    SEQUENCE,
    version(1),
    derOf(SET, SHA256),
    derOf(SEQUENCE, DATA, derOf(0xa0, derOf(OCTET_STRING, content))),
    derOf(0xa0, ...certificates),
    derOf(SET, signerInfo),
  )
  return derOf(SEQUENCE, SIGNED_DATA, derOf(0xa0, signedData))
}

function version(number: number): Buffer {
  return derOf(INTEGER, Uint8Array.of(number))
}

function attribute(type: Buffer, value: Buffer): Buffer {
  return derOf(SEQUENCE, type, derOf(SET, value))
}

/** The elements of a set stand in the order of their octets (X.690 section 11.6). */
function derSet(elements: readonly Buffer[]): Buffer {
  return derOf(SET, ...[...elements].sort(Buffer.compare))
}

function retagged(tag: number, element: Buffer): Buffer {
  return Buffer.concat([Uint8Array.of(tag), element.subarray(1)])
}

/** UTCTime until 2049 (RFC 5652 section 11.3). */
function timeOf(wallNow: number): Buffer {
  const digits = new Date(wallNow).toISOString().replace(/\D/g, '')
  const isShort = digits < '2050'
  return derOf(isShort ? 0x17 : 0x18, Buffer.from(`${digits.slice(isShort ? 2 : 0, 14)}Z`))
}

/** IssuerAndSerialNumber, out of the certificate itself (RFC 5280 section 4.1). Throws a RangeError where it is none. */
function signerOf(certificate: Buffer): Buffer {
  const body = derElement(certificate, derElement(certificate, 0).start)
  // The version is left out where it is the first.
  const serialAt = certificate[body.start] === 0xa0 ? derElement(certificate, body.start).end : body.start
  const serialEnd = derElement(certificate, serialAt).end
  const issuerAt = derElement(certificate, serialEnd).end
  const issuerEnd = derElement(certificate, issuerAt).end
  return derOf(SEQUENCE, certificate.subarray(issuerAt, issuerEnd), certificate.subarray(serialAt, serialEnd))
}

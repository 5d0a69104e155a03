// SPDX-License-Identifier: MIT
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Secret } from '@portico/base'
import { canSign, type ProfileSigner } from './mobileconfig-signature.js'

const BLOCKS = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g

/** Reads who signs profiles from PEM: a key, its certificate and those that lead to its authority. Throws, saying why it is none. */
export function readProfileSigner(pem: Secret<string>): ProfileSigner {
  const blocks = [...pem.expose().matchAll(BLOCKS)]
  const key = keyOf(blocks.filter(([, kind = '']) => kind.endsWith('PRIVATE KEY')).map(([block]) => block))
  const certificates = blocks.filter(([, kind]) => kind === 'CERTIFICATE').map(([block]) => new X509Certificate(block))
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key))
  if (own === undefined) throw new Error('there is no certificate of the key')
  return { key, certificates: [own.raw, ...certificates.filter((one) => one !== own).map(({ raw }) => raw)] }
}

function keyOf(blocks: readonly string[]): KeyObject {
  const [block] = blocks
  if (block === undefined || blocks.length > 1) throw new Error('there is not one key')
  const key = createPrivateKey(block)
  if (!canSign(key)) throw new Error('the key is neither RSA nor ECDSA')
  return key
}

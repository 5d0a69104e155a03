// SPDX-License-Identifier: MIT

const PARTS = /^(?:(DHE|ECDHE)-(RSA|ECDSA)-)?(?:AES(128|256)-(?:(GCM)-)?(SHA(?:256|384)?)|CHACHA20-POLY1305)$/

/**
 * The registered name of a cipher suite (IANA, TLS Cipher Suites) that OpenSSL calls otherwise: `ECDHE-RSA-AES128-GCM-SHA256` is
 * `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. Registered names stay. Undefined: none of those that mail clients come with.
 */
export function standardCipherName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  if (/^TLS_[A-Z0-9_]{1,60}$/.test(name)) return name
  const match = PARTS.exec(name)
  if (match === null) return undefined
  const [, exchange, signature, bits, mode = 'CBC', hash] = match
  const keys = exchange === undefined ? 'RSA' : `${exchange}_${signature}`
  return `TLS_${keys}_WITH_${bits === undefined ? 'CHACHA20_POLY1305_SHA256' : `AES_${bits}_${mode}_${hash}`}`
}

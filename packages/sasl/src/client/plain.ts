// SPDX-License-Identifier: MIT

/**
 * The PLAIN message for a backend (RFC 4616 section 2), not yet in base64. With `authzid` the bearer of the password acts for
 * somebody else. Throws `TypeError` when a part holds NUL, which would move the borders of the message.
 */
export function plainResponse(credentials: {
  readonly authcid: string
  readonly authzid?: string
  readonly password: string
}): Buffer {
  const parts = [credentials.authzid ?? '', credentials.authcid, credentials.password]
  if (parts.some((part) => part.includes('\0'))) throw new TypeError('a SASL PLAIN part must not hold NUL')
  return Buffer.from(parts.join('\0'))
}

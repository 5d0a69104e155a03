// SPDX-License-Identifier: MIT

/** Types of the values behind the addresses of a version 2 PROXY header; those of `ssl` are nested in it. */
export const TLV = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  uniqueId: 0x05,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCommonName: 0x22,
  sslCipher: 0x23,
} as const

/** Bits of the SSL value's client field. */
export const SSL_CLIENT = { ssl: 0x01, certificate: 0x02, certificateOfSession: 0x04 } as const

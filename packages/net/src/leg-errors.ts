// SPDX-License-Identifier: MIT
import type { LegErrorCode, UpgradeFailure } from './leg.js'

const CODES: Readonly<Record<string, LegErrorCode>> = {
  ECONNRESET: 'peer-reset',
  EPIPE: 'peer-reset',
  ECONNABORTED: 'peer-reset',
  ECONNREFUSED: 'refused',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ENOENT: 'unreachable',
  ETIMEDOUT: 'timed-out',
}

/** The `code` of a Node error; of several attempts at one name, that of the first. Empty when there is none. */
export function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0])
  return ''
}

/** Sorts an error of an established or connecting socket. */
export function legErrorCode(error: Error): LegErrorCode {
  const code = codeOf(error)
  return CODES[code] ?? (code.startsWith('ERR_SSL') ? 'tls-record' : 'other')
}

const NOT_TLS = /WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_TOO_SMALL/
const VERIFY = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/

/** Sorts an error of a TLS handshake. */
export function upgradeFailure(error: Error): UpgradeFailure {
  const code = codeOf(error)
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT' || code === 'ETIMEDOUT') return 'timeout'
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return 'no-alpn-overlap'
  if (NOT_TLS.test(code)) return 'not-tls'
  if (VERIFY.test(code)) return 'verify'
  return CODES[code] === undefined ? 'alert' : 'closed'
}

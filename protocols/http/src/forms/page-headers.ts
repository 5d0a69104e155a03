// SPDX-License-Identifier: MIT
import type { FormsSettings } from './schema.js'
import { STYLE_SOURCE } from './style.js'

/** What browsers are told about our own pages: nothing is loaded, nothing frames them, nothing keeps them. */
const ALWAYS = [
  `Content-Security-Policy: default-src 'none'; style-src ${STYLE_SOURCE}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'X-Content-Type-Options: nosniff',
  'X-Frame-Options: DENY',
  'Cross-Origin-Opener-Policy: same-origin',
  'Cross-Origin-Resource-Policy: same-origin',
  // Not `no-referrer`: a browser would then not say in Origin where the form comes from.
  'Referrer-Policy: same-origin',
  'Cache-Control: no-store',
]
  .map((line) => `${line}\r\n`)
  .join('')

/** The field lines of every answer of the sign-in page. */
export function pageHeaders({ hsts }: Pick<FormsSettings, 'hsts'>, encrypted: boolean): string {
  // RFC 6797 section 7.2: never where the answer is not encrypted.
  return hsts === 0 || !encrypted
    ? ALWAYS
    : `${ALWAYS}Strict-Transport-Security: max-age=${Math.floor(hsts / 1000)}\r\n`
}

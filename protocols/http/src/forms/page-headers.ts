// SPDX-License-Identifier: MIT
import type { FormsSettings } from './schema.js'
import { STYLE_SOURCE } from './style.js'

/** What browsers are told about our own pages: nothing is loaded, nothing frames them, nothing keeps them. */
const ALWAYS = [
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

/**
 * The field lines of every answer of the sign-in page. `formsLeadTo`: origins that a sign-in may end at; browsers hold form-action
 * against what follows a form as well (CSP Level 3 section 6.4.1).
 */
export function pageHeaders(
  { hsts }: Pick<FormsSettings, 'hsts'>,
  encrypted: boolean,
  formsLeadTo: readonly string[] = [],
): string {
  const targets = ["'self'", ...formsLeadTo].join(' ')
  const policy = `Content-Security-Policy: default-src 'none'; style-src ${STYLE_SOURCE}; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'\r\n`
  // RFC 6797 section 7.2: never where the answer is not encrypted.
  return hsts === 0 || !encrypted
    ? policy + ALWAYS
    : `${policy}${ALWAYS}Strict-Transport-Security: max-age=${Math.floor(hsts / 1000)}\r\n`
}

// SPDX-License-Identifier: MIT
import { authContextOf, canStartTls } from '@portico/session'
import type { Pop3Context } from './context.js'

/** The capability lines of this moment (RFC 2449 section 5); they change with TLS (RFC 2595 section 4). */
export function capabilityLines(context: Pop3Context): readonly string[] {
  const { session, settings } = context
  const { authenticator } = session.services
  const auth = authContextOf(session, context.failures)
  const mechanisms = authenticator.mechanisms(auth)
  const lines = ['RESP-CODES', 'AUTH-RESP-CODE', ...settings.capabilities]
  if (settings.utf8 !== 'no') lines.push(settings.utf8 === 'user' ? 'UTF8 USER' : 'UTF8')
  if (settings.languages.length > 0) lines.push('LANG')
  if (canStartTls(context)) lines.push('STLS')
  if (authenticator.plaintextAllowed(auth)) lines.push('USER')
  if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`)
  if (session.isProxy) lines.push('XCLIENT')
  return [...new Set(lines)]
}

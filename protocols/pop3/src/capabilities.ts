// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { authContextOf } from '@portico/session'
import type { Pop3Context } from './context.js'

/** The capability lines of this moment (RFC 2449 section 5); they change with TLS (RFC 2595 section 4). */
export function capabilityLines(context: Pop3Context): readonly string[] {
  const { session, settings } = context
  const { authenticator } = session.services
  const auth = authContextOf(session, context.failures)
  const mechanisms = authenticator.mechanisms(auth)
  const lines = ['RESP-CODES', 'AUTH-RESP-CODE', ...settings.capabilities]
  if (canStartTls(context)) lines.push('STLS')
  if (authenticator.plaintextAllowed(auth)) lines.push('USER')
  if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`)
  return [...new Set(lines)]
}

/** Whether STLS is offered now: not twice, and only where there is a certificate. */
export function canStartTls(context: Pop3Context): boolean {
  const { listener, leg } = context.session
  return listener.tls === 'starttls' && listener.tlsAcceptor !== undefined && leg.tls === undefined
}

/** For an attempt to show a password: why none may be shown on this leg as it is now; `undefined` when one may. */
export function passwordRefusal(context: Pop3Context): FailureReason | undefined {
  const { session, failures } = context
  return session.services.authenticator.refusePlaintext(authContextOf(session, failures))
}

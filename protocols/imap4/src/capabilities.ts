// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { authContextOf } from '@portico/session'
import type { ImapContext } from './context.js'

/** What we can do ourselves before sign-in (RFC 9051 section 6.1.1). The mailbox's own list follows with the sign-in. */
const OWN = ['IMAP4rev1', 'LITERAL+', 'SASL-IR', 'ID']

/** The capability names of this moment: they change with TLS (RFC 9051 sections 6.2.1 and 6.2.3). */
export function capabilities(context: ImapContext): string {
  const { session, settings } = context
  const { authenticator } = session.services
  const auth = authContextOf(session, context.failures)
  const names = [...OWN, ...settings.capabilities]
  if (canStartTls(context)) names.push('STARTTLS')
  if (!authenticator.plaintextAllowed(auth)) names.push('LOGINDISABLED')
  for (const mechanism of authenticator.mechanisms(auth)) names.push(`AUTH=${mechanism}`)
  return [...new Set(names)].join(' ')
}

/** Whether STARTTLS is offered now: not twice, and only where there is a certificate. */
export function canStartTls(context: ImapContext): boolean {
  const { listener, leg } = context.session
  return listener.tls === 'starttls' && listener.tlsAcceptor !== undefined && leg.tls === undefined
}

/** For an attempt to show a password: why none may be shown on this leg as it is now; `undefined` when one may. */
export function passwordRefusal(context: ImapContext): FailureReason | undefined {
  const { session, failures } = context
  return session.services.authenticator.refusePlaintext(authContextOf(session, failures))
}

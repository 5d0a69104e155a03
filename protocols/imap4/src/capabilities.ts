// SPDX-License-Identifier: MIT
import { authContextOf, canStartTls } from '@portico/session'
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
  // RFC 2221 section 3.
  if (session.services.router.redirections('imap4').length > 0) names.push('LOGIN-REFERRALS')
  if (!authenticator.plaintextAllowed(auth)) names.push('LOGINDISABLED')
  for (const mechanism of authenticator.mechanisms(auth)) names.push(`AUTH=${mechanism}`)
  return [...new Set(names)].join(' ')
}

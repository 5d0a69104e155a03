// SPDX-License-Identifier: MIT
import type { FailureReason } from '@portico/base'
import { authContextOf } from './auth-context.js'
import { DONE, type Outcome, type PreAuth } from './outcome.js'

/** Whether STARTTLS is offered now: not twice, and only where there is a certificate. */
export function canStartTls({ session }: Pick<PreAuth, 'session'>): boolean {
  const { listener, leg } = session
  return listener.tls === 'starttls' && listener.tlsAcceptor !== undefined && leg.tls === undefined
}

/**
 * STARTTLS or STLS, after the client was told to go on. What the leg's other end had said of its client is forgotten with all the
 * rest, and octets that came behind the command in the clear end the session unread (RFC 9051 section 6.2.1, RFC 2595 section 4).
 */
export async function becomeTls({ session, dialogue }: Pick<PreAuth, 'session' | 'dialogue'>): Promise<Outcome> {
  session.speaksFor(undefined)
  const result = await dialogue.upgrade()
  if (result.kind === 'secure') return DONE
  const injected = result.reason === 'plaintext-behind-starttls'
  return { kind: 'ended', ended: injected ? 'plaintext-behind-starttls' : 'tls-failed' }
}

/** For an attempt to show a password: why none may be shown on this leg as it is now; `undefined` when one may. */
export function passwordRefusal({ session, failures }: PreAuth): FailureReason | undefined {
  return session.services.authenticator.refusePlaintext(authContextOf(session, failures))
}

// SPDX-License-Identifier: MIT
import type { AuthContext, AuthOutcome } from '@portico/auth'
import type { Session } from './session.js'

/** How one protocol carries SASL: each puts challenges and responses into lines of its own. */
export interface SaslWire {
  /** Sends a challenge, already in base64. */
  challenge(base64: string): void
  /** The next response line without its terminator. */
  response(): Promise<
    { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' } | { readonly kind: 'gone' }
  >
}

/** The outcome of an exchange. `gone`: the client left in the middle of it. */
export type SaslOutcome = AuthOutcome | { readonly kind: 'gone' }

/**
 * Runs one SASL exchange over a line protocol (RFC 4422 section 4, RFC 4648 section 4). `initial` is the initial response as
 * written: undefined when absent, `=` for an empty one (RFC 4954 section 4, RFC 5034 section 4, RFC 9051 section 6.2.2).
 * `*` cancels. Base64 is taken strictly.
 */
export async function authenticateSasl(
  session: Session,
  mechanism: string,
  initial: string | undefined,
  wire: SaslWire,
  context: AuthContext,
): Promise<SaslOutcome> {
  session.record.begin()
  await using attempt = session.services.authenticator.begin(mechanism, context, session.signal)
  try {
    let response = initial === undefined ? undefined : initial === '=' ? Buffer.alloc(0) : decodeBase64(initial)
    if (initial !== undefined && response === undefined) return malformed('malformed')
    for (;;) {
      const step = await attempt.step(response)
      if (step.kind !== 'challenge') return step
      wire.challenge(Buffer.from(step.data).toString('base64'))
      const line = await wire.response()
      if (line.kind === 'gone') return line
      if (line.kind === 'too-long') return malformed('too-long')
      if (line.text === '*') return malformed('aborted')
      response = decodeBase64(line.text)
      if (response === undefined) return malformed('malformed')
    }
  } finally {
    session.record.finish('authenticate')
  }
}

function malformed(reason: 'malformed' | 'too-long' | 'aborted'): AuthOutcome {
  return { kind: 'failed', reason, waitMs: 0 }
}

/** Strict base64: right alphabet, right padding, no white space, no stray bits (RFC 4648 sections 3.3 and 3.5). */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

// SPDX-License-Identifier: MIT
import type { AuthFailureReason } from '@portico/base'
import type { Exchange, ExchangeStep, MechanismContext } from '../mechanism.js'
import { refusalOf, saslprep } from '../saslprep.js'

/** What a client of PLAIN or LOGIN has shown, still as it was sent. */
export interface ShownCredentials {
  readonly authcid: string
  readonly authzid: string | undefined
  readonly password: string
}

/** What a mechanism that shows the password makes of one response. */
export type PlainStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array }
  | { readonly kind: 'shown'; readonly credentials: ShownCredentials }
  | { readonly kind: 'failure'; readonly reason: AuthFailureReason }

/** Reads responses until the credentials are there. `forget` drops what it has read. */
export interface PlainReader {
  read(response: Uint8Array | undefined): PlainStep
  forget(): void
}

/**
 * The exchange that PLAIN and LOGIN share: read, prepare (RFC 4013), ask the verifier once, end. A step after the end, or after
 * disposal, fails as `aborted` and asks nobody.
 */
export function plainExchange(reader: PlainReader, context: MechanismContext): Exchange {
  let over = false
  const end = (step: ExchangeStep): ExchangeStep => {
    over = true
    reader.forget()
    return step
  }
  return {
    async step(response) {
      if (over || context.signal.aborted) return end(failure('aborted'))
      const read = reader.read(response)
      if (read.kind === 'challenge') return read
      over = true
      return end(read.kind === 'failure' ? read : await verify(read.credentials, context))
    },
    async [Symbol.asyncDispose]() {
      over = true
      reader.forget()
    },
  }
}

async function verify(shown: ShownCredentials, context: MechanismContext): Promise<ExchangeStep> {
  const wished = shown.authzid === undefined ? [] : [shown.authzid]
  const refusal = [shown.authcid, ...wished, shown.password].map(refusalOf).find((reason) => reason !== undefined)
  if (refusal !== undefined) return failure(refusal)
  const authcid = saslprep(shown.authcid) ?? ''
  const authzid = shown.authzid === undefined ? undefined : saslprep(shown.authzid)
  const answer = await context.verifier.verifyPlain({ authcid, authzid, password: shown.password }, context.signal)
  if (context.signal.aborted) return failure('aborted')
  if (answer.kind === 'rejected') return failure(answer.reason)
  return authzid === undefined ? { kind: 'success', authcid } : { kind: 'success', authcid, authzid }
}

function failure(reason: AuthFailureReason): ExchangeStep & { readonly kind: 'failure' } {
  return { kind: 'failure', reason }
}

// SPDX-License-Identifier: MIT
import type { AuthFailureReason } from '@portico/base'
import type { Exchange, ExchangeStep, MechanismContext } from '../mechanism.js'

/** One state of a mechanism: what it makes of a response, and the state after it. No state after it: the exchange is over. */
export type State = (
  response: Uint8Array | undefined,
) => Promise<{ readonly step: ExchangeStep; readonly next?: State }>

/** Runs states one after another. A step after the end, after disposal or after cancellation fails as `aborted` and asks nobody. */
export function statefulExchange(first: State, { signal }: Pick<MechanismContext, 'signal'>): Exchange {
  let state: State | undefined = first
  return {
    async step(response) {
      const current = state
      state = undefined
      if (current === undefined || signal.aborted) return failure('aborted')
      const { step, next } = await current(response)
      if (signal.aborted) return failure('aborted')
      state = next
      return step
    },
    async [Symbol.asyncDispose]() {
      state = undefined
    },
  }
}

export function failure(reason: AuthFailureReason): ExchangeStep & { readonly kind: 'failure' } {
  return { kind: 'failure', reason }
}

export function success(authcid: string, authzid: string | undefined): ExchangeStep {
  return authzid === undefined ? { kind: 'success', authcid } : { kind: 'success', authcid, authzid }
}

// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { failure, type State, statefulExchange, success } from './challenge-exchange.js'
import { decodeUtf8 } from './text.js'

const NOTHING = new Uint8Array(0)
/** RFC 4505 section 2: at most 255 characters. */
const MAX_TRACE = 255

/** ANONYMOUS (RFC 4505): one message with what the client says of itself, which may be empty. */
export const anonymous: Mechanism = {
  name: 'ANONYMOUS',
  needs: 'nothing',
  sendsPasswordInClear: false,
  strength: 'none',
  begin(context) {
    const read: State = async (response) => {
      const trace = response === undefined || response.length > 4 * MAX_TRACE ? undefined : decodeUtf8(response)
      if (trace === undefined)
        return { step: failure(response !== undefined && response.length > 4 * MAX_TRACE ? 'too-long' : 'malformed') }
      if ([...trace].length > MAX_TRACE) return { step: failure('too-long') }
      if (/\p{Cc}/u.test(trace)) return { step: failure('malformed') }
      const answer = await context.verifier.anonymous(trace, context.signal)
      return { step: answer.kind === 'rejected' ? failure(answer.reason) : success('anonymous', undefined) }
    }
    const ask: State = async (response) =>
      response === undefined ? { step: { kind: 'challenge', data: NOTHING }, next: read } : read(response)
    return statefulExchange(ask, context)
  },
}

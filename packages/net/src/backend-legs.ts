// SPDX-License-Identifier: MIT
import type { Backend, BackendErrorCode, Cancellation } from '@portico/base'
import type { ReadEnd } from './conversation.js'
import type { BackendTls, LegEnd, LegErrorCode, UpgradeFailure } from './leg.js'

/** TLS towards a backend as its policy says: the host of its endpoint is the name to verify unless another is written. */
export function backendTlsOptions({ tls, address }: Pick<Backend, 'tls' | 'address'>): BackendTls {
  const servername = tls.servername ?? (address.kind === 'tcp' ? address.host : 'localhost')
  return { servername, verify: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) }
}

/** What an error of a leg to a backend is called. */
export function backendErrorOfLeg(code: LegErrorCode): BackendErrorCode {
  switch (code) {
    case 'refused':
    case 'unreachable':
    case 'timed-out':
      return code
    case 'peer-reset':
      return 'reset'
    default:
      return 'other'
  }
}

/** The same for a handshake. */
export function backendErrorOfUpgrade(reason: UpgradeFailure): BackendErrorCode {
  if (reason === 'timeout') return 'timed-out'
  return reason === 'closed' ? 'closed' : 'tls'
}

/** The same where something was awaited from the backend and nothing more comes; `signal` is the one that the wait was given. */
export function backendErrorOfRead(
  end: ReadEnd,
  signal: Cancellation,
): { readonly code: BackendErrorCode; readonly cause?: Error } {
  if (end.kind === 'peer-ended') return { code: 'closed' }
  if (end.kind === 'cancelled') return { code: signal.reason === 'deadline' ? 'timed-out' : 'cancelled' }
  return backendErrorOfEnd(end.why)
}

function backendErrorOfEnd(why: LegEnd): { readonly code: BackendErrorCode; readonly cause?: Error } {
  switch (why.kind) {
    case 'finished':
      return { code: 'closed' }
    case 'destroyed':
      return { code: 'cancelled' }
    case 'idle':
    case 'deadline':
      return { code: 'timed-out' }
    case 'error':
      return { code: backendErrorOfLeg(why.code), cause: why.cause }
  }
}

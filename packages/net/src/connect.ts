// SPDX-License-Identifier: MIT
import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Address, Cancellation } from '@portico/base'
import { unmapped } from '@portico/base'
import type { Leg, LegErrorCode } from './leg.js'
import { legErrorCode } from './leg-errors.js'
import { readMemory } from './read-memory.js'
import { socketFacts } from './socket-facts.js'
import { SocketLeg } from './socket-leg.js'
import type { TimerWheel } from './timer-wheel.js'

export interface ConnectOptions {
  readonly wheel: TimerWheel
  /** Time for name resolution and connection together. */
  readonly timeoutMs: number
  readonly signal: Cancellation
}

/** `remoteAddress`: what the name resolved to; undefined for a Unix socket. */
export type Connected =
  | { readonly kind: 'connected'; readonly leg: Leg; readonly remoteAddress: string | undefined }
  | { readonly kind: 'failed'; readonly code: LegErrorCode | 'cancelled'; readonly cause?: Error }

/** Opens a plain leg. Never rejects. What comes before it has a reader is kept, up to a bound. */
export function connectLeg(address: Address, options: ConnectOptions): Promise<Connected> {
  if (options.signal.aborted) return Promise.resolve({ kind: 'failed', code: 'cancelled' })
  return new Promise((resolve) => {
    let leg: SocketLeg | undefined
    const socket = open(
      address,
      readMemory((view) => leg?.received(view)),
    )
    const finish = (result: Connected) => {
      limit.cancel()
      options.signal.onAbort = undefined
      socket.removeAllListeners('connect')
      socket.removeListener('error', failed)
      if (result.kind === 'failed') {
        socket.on('error', () => undefined)
        socket.destroy()
      }
      resolve(result)
    }
    const failed = (cause: Error) => finish({ kind: 'failed', code: legErrorCode(cause), cause })
    const limit = options.wheel.add(options.timeoutMs, () => finish({ kind: 'failed', code: 'timed-out' }))
    options.signal.onAbort = () => finish({ kind: 'failed', code: 'cancelled' })
    socket.once('error', failed)
    socket.once('connect', () => {
      const facts = socketFacts(socket, address.kind === 'unix' ? address.path : undefined)
      if (facts === undefined) return failed(new Error('the connection was gone at once'))
      const remoteAddress = socket.remoteAddress === undefined ? undefined : unmapped(socket.remoteAddress)
      leg = new SocketLeg(socket, facts, options.wheel)
      finish({ kind: 'connected', leg, remoteAddress })
    })
  })
}

function open(address: Address, onread: OnReadOpts): Socket {
  const common = { allowHalfOpen: true, noDelay: true, onread }
  if (address.kind === 'unix') return connect({ path: address.path, ...common })
  return connect({ host: address.host, port: address.port, ...common })
}

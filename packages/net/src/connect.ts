// SPDX-License-Identifier: MIT
import { connect, isIP, type Socket } from 'node:net'
import type { Address, Cancellation, Endpoint } from '@portico/base'
import { unmapped } from '@portico/base'
import type { Leg, LegErrorCode } from './leg.js'
import { legErrorCode } from './leg-errors.js'
import { readMemory } from './read-memory.js'
import { handleFacts, socketFacts } from './socket-facts.js'
import { SocketLeg } from './socket-leg.js'
import { type StreamBinding, systemError } from './stream-handle.js'
import type { TimerWheel } from './timer-wheel.js'
import { handlesInUse, overHandle, overSocket } from './transports.js'

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
  const binding = handlesInUse()
  if (binding !== undefined && address.kind === 'tcp' && isIP(address.host) !== 0)
    return underWay(options, (settle) => connectHandle(address, binding, options.wheel, settle))
  return underWay(options, (settle) => connectSocket(address, options.wheel, settle))
}

type Settle = (result: Connected) => void

/** Begins a connection and returns how to give it up; the first result counts. */
function underWay(options: ConnectOptions, begin: (settle: Settle) => () => void): Promise<Connected> {
  return new Promise((resolve) => {
    let over = false
    const finish = (result: Connected) => {
      if (over) return
      over = true
      limit.cancel()
      options.signal.onAbort = undefined
      if (result.kind === 'failed') giveUp()
      resolve(result)
    }
    const limit = options.wheel.add(options.timeoutMs, () => finish({ kind: 'failed', code: 'timed-out' }))
    options.signal.onAbort = () => finish({ kind: 'failed', code: 'cancelled' })
    const giveUp = begin(finish)
  })
}

function failed(cause: Error): Connected {
  return { kind: 'failed', code: legErrorCode(cause), cause }
}

/** Without a socket of node:net: of a literal address. */
function connectHandle(
  { host, port }: Extract<Address, { kind: 'tcp' }>,
  binding: StreamBinding,
  wheel: TimerWheel,
  settle: Settle,
): () => void {
  const handle = binding.newTcp()
  const request = new binding.ConnectRequest()
  let given = false
  request.oncomplete = (status) => {
    if (given) return
    if (status !== 0) return settle(failed(systemError('connect', status)))
    given = true
    handle.setNoDelay(true)
    const address = unmapped(host)
    const peer: Endpoint = { address, port, family: address.includes(':') ? 6 : 4 }
    const facts = handleFacts(handle, undefined, peer)
    if (facts === undefined) return settle(failed(new Error('the connection was gone at once')))
    const leg = new SocketLeg(overHandle(handle, binding), facts, { wheel })
    settle({ kind: 'connected', leg, remoteAddress: address })
  }
  const status = isIP(host) === 6 ? handle.connect6(request, host, port) : handle.connect(request, host, port)
  if (status !== 0) queueMicrotask(() => request.oncomplete?.(status))
  return () => {
    given = true
    handle.close()
  }
}

function connectSocket(address: Address, wheel: TimerWheel, settle: Settle): () => void {
  let leg: SocketLeg | undefined
  const socket = open(address, { received: (view) => leg?.received(view) })
  const refused = (cause: Error) => settle(failed(cause))
  socket.once('error', refused)
  socket.once('connect', () => {
    const facts = socketFacts(socket, address.kind === 'unix' ? address.path : undefined)
    if (facts === undefined) return refused(new Error('the connection was gone at once'))
    const remoteAddress = socket.remoteAddress === undefined ? undefined : unmapped(socket.remoteAddress)
    socket.removeListener('error', refused)
    leg = new SocketLeg(overSocket(socket), facts, { wheel })
    settle({ kind: 'connected', leg, remoteAddress })
  })
  return () => {
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

function open(address: Address, reader: { received(view: Buffer): void }): Socket {
  const common = { allowHalfOpen: true, noDelay: true, onread: readMemory(reader) }
  if (address.kind === 'unix') return connect({ path: address.path, ...common })
  return connect({ host: address.host, port: address.port, ...common })
}

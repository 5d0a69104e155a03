// SPDX-License-Identifier: MIT
import { type HandleFault, testHandles } from './handle-self-test.js'
import { type StreamBinding, streamBinding } from './stream-handle.js'
import { useHandles } from './transports.js'

/** `node`: node:net and node:tls. `auto`: the handles below them where they are found to work. */
export type TransportKind = 'auto' | 'node'

export type TransportChoice =
  | { readonly kind: 'node' | 'handles' }
  /** Handles were wanted, and are not to be trusted here. */
  | { readonly kind: 'node'; readonly fault: HandleFault }

/**
 * Decides what all connections that this process makes from now on are made on. Handles are tried out first, over a connection of
 * this process with itself; where they fall short node:net and node:tls serve.
 */
export async function chooseTransport(wanted: TransportKind): Promise<TransportChoice> {
  if (wanted === 'node') {
    useHandles(undefined)
    return { kind: 'node' }
  }
  tried ??= tryHandles()
  const { binding, fault } = await tried
  if (fault !== undefined) return { kind: 'node', fault }
  useHandles(binding)
  return { kind: 'handles' }
}

type Tried =
  | { readonly binding: StreamBinding; readonly fault?: undefined }
  | { readonly binding?: undefined; readonly fault: HandleFault }

/** Once in a process: what was found holds for its life. */
let tried: Promise<Tried> | undefined

async function tryHandles(): Promise<Tried> {
  const binding = streamBinding()
  if (binding === undefined) return { fault: 'missing' }
  const fault = await testHandles(binding)
  return fault === undefined ? { binding } : { fault }
}

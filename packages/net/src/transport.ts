// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import type { Octets } from './leg.js'

/**
 * What lies below a leg: one connection, by node:net and node:tls or by the handles below them. Octets that arrive are told at
 * once; what the leg does not want yet it keeps itself, and pauses.
 */
export interface Transport {
  /** Octets accepted and not yet with the kernel. */
  readonly queued: number
  /** Queued octets at which a writer should stop. */
  readonly mark: number
  /** Octets read and not yet told. */
  readonly unread: number
  /** Takes all of `bytes`, which may lie in memory that is valid only during the call. */
  write(bytes: Octets): void
  /** Each character is one octet. */
  writeText(latin1: string): void
  /** What is written until {@link uncork} goes out together. Nests. */
  cork(): void
  uncork(): void
  pause(): void
  resume(): void
  /** Flush, then FIN (TLS: close_notify and FIN). Reading goes on. */
  end(): void
  /** Drop now; the owner hears `closed` later. `reset` sends RST where there is such a thing. */
  destroy(reset: boolean): void
  /** The connection as a Node socket, paused, with `front` before what is yet to come. The transport is over. */
  toSocket(front: readonly Buffer[]): Socket
}

/** Whom a transport tells. Nothing is told from within a call of the owner's. */
export interface TransportOwner {
  /** The memory may be valid only during the call. */
  received(bytes: Buffer): void
  /** Everything that was queued is with the kernel. */
  drained(): void
  peerEnded(): void
  failed(cause: Error): void
  /** Once, last. */
  closed(): void
}

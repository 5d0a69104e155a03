// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'

/** Octets, never text. */
export type Octets = Uint8Array

/**
 * One side of a session: a client's or a backend's connection, plain or TLS. Sizes are octets, times milliseconds. No method
 * throws for a network reason. A leg has one reader; reader calls never nest, and none comes after the leg is `closed`.
 * The order of octets is never changed.
 */
export interface Leg {
  readonly id: number
  readonly facts: LegFacts
  readonly tls: TlsFacts | undefined
  /** Application octets handed to readers. */
  readonly bytesRead: number
  /** Application octets accepted by write(). */
  readonly bytesWritten: number
  /** `open` → `peer-ended` (the peer finished, writing goes on) | `ended` (end() was called, reading goes on) → `closed`. */
  readonly state: 'open' | 'peer-ended' | 'ended' | 'closed'

  /** Swaps the reader. Octets that the old reader did not take come to the new one first, in a later microtask. */
  setReader(reader: LegReader): void
  /** No `onBytes` after it returns. */
  pause(): void
  resume(): void
  readonly paused: boolean
  /** Whether EOF and reset are reported while the leg is paused (with nothing buffered). */
  readonly reportsEofWhilePaused: boolean
  /** Octets read and not yet taken. STARTTLS must see 0 here. */
  readonly buffered: number

  /** False: stop producing until `onDrain`; the octets are accepted either way. The leg may keep a reference to `bytes`. */
  write(bytes: Octets): boolean
  /** As write, for a view that is valid only during `onBytes`: copies where the transport reads into a shared buffer. */
  writeView(view: Octets): boolean
  /** As write; each character is one octet. */
  writeText(latin1: string): boolean
  readonly needsDrain: boolean
  /** Octets accepted and not yet with the kernel. */
  readonly queued: number
  /** One system call or TLS record for everything written during `fill`. Nests; released even if `fill` throws. */
  batch(fill: () => void): void

  /**
   * Flush, then FIN (TLS: close_notify and FIN). Reading goes on. A leg whose peer has ended stays half open until somebody calls
   * this, close() or destroy().
   */
  end(): void
  /**
   * For BYE, 421, 503: end(), then wait for the peer's end, at most `lingerMs`, then destroy. The reader hears only of the end.
   * What the peer still sends is dropped: to close over unread octets would send a reset that can overtake the last reply, so
   * whoever wants that reply delivered waits for `onEnd` instead of calling destroy().
   */
  close(lingerMs: number): void
  /** Drop now; `reset` sends RST. Idempotent. Also the way to stop a handshake. */
  destroy(options?: { readonly reset?: boolean }): void

  /**
   * Become the TLS server of this connection: implicit TLS, STARTTLS, or TLS behind a PROXY header. The leg, its id and its
   * reader stay. `pending` holds octets that belong to the handshake (what followed a PROXY header). After STARTTLS it must be
   * empty and `buffered` 0, else the result is `plaintext-behind-starttls` and nothing of it is parsed (RFC 3207 section 4.2
   * and CVE-2011-0411). Settles always, never rejects; on failure the leg is already destroyed.
   */
  upgradeServer(
    tls: TlsAcceptor,
    pending: Octets,
    how: 'implicit' | 'starttls',
    timeoutMs: number,
  ): Promise<UpgradeResult>
  /** Become the TLS client of this connection, at once or after the backend's STARTTLS answer. */
  upgradeClient(options: BackendTls, timeoutMs: number): Promise<UpgradeResult>

  /** No octet in either direction for so long: `onEnd` with `idle`. 0 turns it off. Never early; precision one second. */
  setIdle(ms: number): void
  /** Absolute limit of a phase: `onEnd` with `deadline`. Replaces the former one; 0 turns it off. */
  setDeadline(ms: number): void
  /** Replaces the peer's address by what a trusted peer said about it. */
  setPeer(peer: Endpoint, local?: Endpoint): void

  /** Gives the socket up to node:http2, paused. Legal before any octet was read; the leg is then `closed` for its owner. */
  release(): Released
}

/** Whoever reads from a {@link Leg} at the moment. */
export interface LegReader {
  /**
   * A view that is valid only during the call. Returns how many octets were taken; the rest stays buffered in front of the next
   * ones. Taking fewer than all is legal only after `pause()` or `setReader()` in the same call.
   */
  onBytes(view: Octets): number
  onDrain(): void
  /** The peer finished: FIN or close_notify. Writing is still allowed. Never comes after onEnd. */
  onPeerEnd(): void
  /** Exactly once, last. */
  onEnd(why: LegEnd): void
}

/** Why a leg is over. */
export type LegEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'idle' | 'deadline' }
  | { readonly kind: 'error'; readonly code: LegErrorCode; readonly cause: Error }

export type LegErrorCode =
  | 'peer-reset'
  | 'refused'
  | 'unreachable'
  | 'timed-out'
  | 'tls-handshake'
  | 'tls-record'
  | 'tls-verify'
  | 'other'

export type UpgradeFailure =
  | 'plaintext-behind-starttls'
  | 'timeout'
  | 'alert'
  | 'no-alpn-overlap'
  | 'not-tls'
  | 'verify'
  | 'closed'

export type UpgradeResult =
  | { readonly kind: 'secure'; readonly tls: TlsFacts }
  | { readonly kind: 'failed'; readonly reason: UpgradeFailure; readonly cause?: Error }

/** Where a leg comes from and goes to. */
export interface LegFacts {
  /** The peer as a trusted balancer reported it, else the socket's. */
  readonly peer: Endpoint
  readonly local: Endpoint
  /** The socket's own peer. */
  readonly socketPeer: Endpoint
}

/** What TLS told about a leg. */
export interface TlsFacts {
  readonly version: string
  readonly cipher: string
  readonly alpn: string | undefined
  /** SNI; undefined on a resumed TLS 1.2 session even when the client sent one. */
  readonly servername: string | undefined
  readonly resumed: boolean
  /** We asked the client for a certificate. */
  readonly certificateAsked: boolean
  readonly clientCertificate: ClientCertificate | undefined
  /** undefined: this binding cannot be given here, so do not offer it (RFC 9266, RFC 5929). Computed on demand. */
  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Octets | undefined
}

export interface ClientCertificate {
  readonly authorized: boolean
  readonly reason?: string
  /** DER. Absent: a trusted balancer took TLS off, and tells only {@link commonName}. */
  readonly raw?: Octets
  /** The subject's common name, as a trusted balancer tells it. */
  readonly commonName?: string
}

/** The TLS side of one listener; hides its tls.Server. Contexts can be swapped while it runs. */
export interface TlsAcceptor {
  swap(certificates: readonly TlsCertificate[]): void
  close(): void
}

/** A certificate with its key, as PEM text, and the names it serves; the first of a list is the default. */
export interface TlsCertificate {
  readonly names: readonly string[]
  readonly certificate: string
  readonly key: string
}

/** TLS towards a backend. */
export interface BackendTls {
  readonly servername: string
  readonly ca?: string
  readonly verify: boolean
  readonly alpn?: readonly string[]
}

/** The socket of a released leg. */
export interface Released {
  readonly socket: import('node:net').Socket
}

// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'

/** What came when a line was awaited. `line` excludes its terminator; `bareLf` says that the CR was missing. */
export type LineRead =
  | { readonly kind: 'line'; readonly bytes: Buffer; readonly bareLf: boolean }
  | { readonly kind: 'too-long' }
  | ReadEnd

/** What came when octets were awaited. */
export type BytesRead = { readonly kind: 'bytes'; readonly bytes: Buffer } | ReadEnd

/** Nothing more will come. `peer-ended`: the peer finished sending, it may still read. */
export type ReadEnd =
  | { readonly kind: 'peer-ended' }
  | { readonly kind: 'ended'; readonly why: LegEnd }
  | { readonly kind: 'cancelled' }

/** How a pumped part ended. */
export type PumpEnd = { readonly kind: 'done' } | { readonly kind: 'sink-closed' } | ReadEnd

/**
 * The pulling face of a leg, for the parts of a session that are a dialogue: await a line, await a counted piece, answer. It
 * takes octets from the leg only as they are asked for, so that whoever reads next (TLS, the relay) finds the rest untouched.
 * One read at a time. While nothing is awaited the leg is paused.
 */
export interface Conversation extends LegReader {
  readonly leg: Leg
  /** The next line, at most `limit` octets without its terminator. An over-long line is swallowed to its end, in constant memory. */
  readLine(limit: number, signal: Cancellation): Promise<LineRead>
  /** Exactly `count` octets, kept in memory: bound `count` first. */
  readExactly(count: number, signal: Cancellation): Promise<BytesRead>
  /** Drops exactly `count` octets in constant memory. */
  swallow(count: number, signal: Cancellation): Promise<PumpEnd>
  /**
   * Streams octets into `sink` until it says that it has enough. `sink.take` gets each view (valid only during the call) and
   * returns how many octets it took; fewer than all means: done, the rest belongs to the next read. Back-pressure: after
   * `sink.blocked()` returned true nothing more comes until the returned resume function is called.
   */
  pump(sink: PumpSink, signal: Cancellation): Promise<PumpEnd>
  /** Waits until there is input, and takes none of it. */
  awaitInput(signal: Cancellation): Promise<{ readonly kind: 'input' } | ReadEnd>
  /** Complete lines or octets are already here: replies can be grouped (RFC 2920 section 3.2). */
  readonly hasInput: boolean
  /** Gives the leg to another reader; what was not taken comes to it first. The conversation is over. */
  handOver(reader: LegReader): void
}

export interface PumpSink {
  /** Returns the octets taken; fewer than the view holds ends the pump. Return `view.length` and set `done` to end exactly there. */
  take(view: Octets): number
  readonly done: boolean
  /** Called after each take: true stops reading until `resume` (handed over once, at the start) is called. */
  readonly blocked: boolean
  start(resume: () => void, abort: () => void): void
}

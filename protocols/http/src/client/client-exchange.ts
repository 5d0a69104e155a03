// SPDX-License-Identifier: MIT
import type { Leg, LegEnd } from '@portico/net'
import type { ConnectionOptions, HttpVersion } from '../backend/headers.js'
import type { BodyDecoder } from '../codec/body.js'
import type { Framing } from '../codec/framing.js'
import type { ResponseHead } from '../codec/head.js'
import type { View } from '../directory/mapping.js'

/** Whoever takes a request's body, and is told of the client meanwhile. */
export interface BodyTaker {
  /** Returns how many octets belong to the body. An empty view: the body's end was told apart from its octets. */
  takeBody(view: Buffer): number
  readonly wantsBody: boolean
  clientDrained(): void
  /** The client finished sending, before the end of the body or behind it. */
  clientFinished(): void
  clientGone(why: LegEnd): void
}

/** A response as a backend gave it, with what the client's own codec has to know of it. */
export interface BackendResponse {
  readonly head: ResponseHead
  /** How its content ends at the backend. */
  readonly framing: Framing
  readonly options: ConnectionOptions
  /** How what the backend says is the client's to see. */
  readonly view: View
  /** Field lines of ours that go along, each with its CRLF. */
  readonly fields: string
  /** The client's connection may go on behind it, as far as we are concerned. */
  readonly mayPersist: boolean
}

/**
 * The client's side of one request, in whatever version of HTTP it asks: gives the body and takes the response, with
 * back-pressure both ways. Our own replies go another way: whoever serves the connection writes them from an outcome.
 */
export interface ClientExchange {
  /**
   * The client's leg where this request has it for itself, so that it may be bound to a user or become a tunnel; `undefined` in
   * HTTP/2, where others share it (RFC 9113 section 8.5: no Upgrade).
   */
  readonly ownLeg: Leg | undefined
  /** In which the request came. */
  readonly version: HttpVersion

  /** Finds the content in what `takeBody` gets. One for each request. */
  decoderFor(body: Framing): BodyDecoder
  /** Gives the body, and the client's comings and goings, to somebody. */
  attach(taker: BodyTaker): void
  detach(): void
  /** The body may stand still for so many milliseconds; 0: nothing of it is awaited any more. */
  setBodyTimeout(ms: number): void
  /** The client has finished sending and is served for so many milliseconds more. */
  limit(ms: number): void
  pause(): void
  resume(): void

  /** The client is behind with reading: produce nothing until `clientDrained`. */
  readonly needsDrain: boolean
  /** What is written during `fill` goes out together. */
  batch(fill: () => void): void
  /** 100 (Continue), 102, 103; not told to a client that does not know them (RFC 9110 section 15.2). */
  interim(response: Pick<BackendResponse, 'head' | 'options' | 'view'>): void
  /** Gives a client that waits for it leave to send its body (RFC 9110 section 10.1.1): 100, of our own. */
  goOn(): void
  /** The head of the final response. It is written together with what follows at once, at the latest by {@link flush}. */
  respond(response: BackendResponse): void
  /** The content that a decoder found in `view`, which is valid only during the call. Inside {@link batch}. */
  content(view: Buffer, decoder: BodyDecoder): void
  /** The response is complete. */
  finish(): void
  /** Writes a head that is still held. */
  flush(): void
  /** The client's connection goes on behind the response; known after {@link respond}. */
  readonly persists: boolean
}

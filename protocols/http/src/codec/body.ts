// SPDX-License-Identifier: MIT
import { ChunkedDecoder } from './chunked.js'
import type { Framing } from './framing.js'

/** Finds the content in the octets of a message's body, in constant memory and for any split of the octets. */
export interface BodyDecoder {
  /** Takes octets of the body and returns how many belong to it. `spans` and `size` then tell where content lies in `view`. */
  push(view: Buffer): number
  /** Begin and end of each piece of content in the last view. */
  readonly spans: readonly number[]
  /** Octets of content in the last view. */
  readonly size: number
  /** The body has ended. */
  readonly done: boolean
  /** The body is not what its framing says. Final. */
  readonly fault: BodyFault | undefined
}

export type BodyFault = 'bad-chunk-size' | 'bad-chunk-end' | 'bad-trailer' | 'chunk-line-too-long' | 'trailers-too-long'

/** Counts content (RFC 9112 section 6.2), or takes all until the peer closes. */
class PlainDecoder implements BodyDecoder {
  readonly spans: number[] = [0, 0]
  size = 0
  readonly fault = undefined
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get done(): boolean {
    return this.#left === 0
  }

  push(view: Buffer): number {
    const taken = Math.min(view.length, this.#left)
    this.#left -= taken
    this.spans[1] = taken
    this.size = taken
    return taken
  }
}

/** A decoder for a message with this framing. */
export function decoderFor(framing: Framing): BodyDecoder {
  if (framing.kind === 'chunked') return new ChunkedDecoder()
  if (framing.kind === 'length') return new PlainDecoder(framing.length)
  return new PlainDecoder(framing.kind === 'none' ? 0 : Number.POSITIVE_INFINITY)
}

// SPDX-License-Identifier: MIT
import type { BodyDecoder } from '../codec/body.js'

/** Content whose end the stream tells: every octet is content. */
export class StreamDecoder implements BodyDecoder {
  readonly spans: number[] = [0, 0]
  size = 0
  done = false
  readonly fault = undefined

  push(view: Buffer): number {
    this.spans[1] = view.length
    this.size = view.length
    return view.length
  }

  /** END_STREAM has come. */
  end(): void {
    this.done = true
  }
}

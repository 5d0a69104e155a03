// SPDX-License-Identifier: MIT
import type { Leg } from '@portico/net'
import type { BodyDecoder } from './body.js'

/** The end of a chunked body without trailers (RFC 9112 section 7.1). */
export const LAST_CHUNK = '0\r\n\r\n'

/**
 * Writes the content that a decoder found in `view` to a leg, all of it as one chunk where `chunked`, so that a peer's tiny
 * chunks do not become as many of ours. `view` is valid only during the call. Call it inside `leg.batch`.
 */
export function writeContent(leg: Leg, view: Buffer, decoder: BodyDecoder, chunked: boolean): void {
  if (decoder.size === 0) return
  if (chunked) leg.writeText(`${decoder.size.toString(16)}\r\n`)
  const { spans } = decoder
  for (let index = 0; index < spans.length; index += 2) {
    const begin = spans[index] ?? 0
    const end = spans[index + 1] ?? 0
    leg.writeView(begin === 0 && end === view.length ? view : view.subarray(begin, end))
  }
  if (chunked) leg.writeText('\r\n')
}

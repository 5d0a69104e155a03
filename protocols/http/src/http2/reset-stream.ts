// SPDX-License-Identifier: MIT
import { constants, type ServerHttp2Stream } from 'node:http2'

/**
 * Resets a stream (RFC 9113 section 5.4.2). node:http2 first ends in order what it resets, and its client would take the part
 * for the whole: here the last frame is the reset.
 */
export function resetStream(stream: ServerHttp2Stream, code: number = constants.NGHTTP2_CANCEL): void {
  if (stream.closed) return
  stream._final = (done) => done()
  stream.close(code)
}

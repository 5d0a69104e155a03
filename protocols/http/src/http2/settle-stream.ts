// SPDX-License-Identifier: MIT
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Timer } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import { resetStream } from './reset-stream.js'

/** For how long, in milliseconds, and for how many octets of content an answered request is waited for. */
export interface Patience {
  readonly discardBody: number
  /** For the rest of the content. */
  readonly headerTimeout: number
  /** For a client that takes nothing of its answer. */
  readonly keepAlive: number
}

/**
 * Sees an answered request to its end: drops what is left of its content, and does not wait for ever for a client that reads
 * nothing. Resolves when the stream is closed.
 */
export function settleStream(stream: ServerHttp2Stream, wheel: TimerWheel, patience: Patience): Promise<void> {
  if (stream.closed && stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    // A client may be told to stop sending once it has its answer (RFC 9113 section 8.1).
    const stop = () => stream.close(constants.NGHTTP2_NO_ERROR)
    const limit = wheel.add(patience.headerTimeout, () => {
      if (!stream.readableEnded) stop()
    })
    const watch = watchProgress(stream, wheel, patience.keepAlive)
    stream.once('close', () => {
      limit.cancel()
      watch.cancel()
      resolve()
    })
    let left = patience.discardBody
    stream.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) stop()
    })
    stream.resume()
  })
}

/** Closes a stream of which nothing was taken for `ms`. */
function watchProgress(stream: ServerHttp2Stream, wheel: TimerWheel, ms: number): Timer {
  let waiting = stream.writableLength
  const look = (): void => {
    if (stream.writableLength > 0 && stream.writableLength === waiting) {
      resetStream(stream)
      return
    }
    waiting = stream.writableLength
    timer = wheel.add(ms, look)
  }
  let timer = wheel.add(ms, look)
  return { cancel: () => timer.cancel() }
}

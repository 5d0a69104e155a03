// SPDX-License-Identifier: MIT
import { close, write, writeSync } from 'node:fs'
import type { LineStream } from './sink.js'

/** A pipe or a terminal whose reader is behind is asked again so much later, in milliseconds. */
const AGAIN_MS = 100
/** For so many milliseconds a flush waits for such a reader; then the lines are lost. */
const FLUSH_MS = 2_000

export interface LineWriterOptions {
  /** Octets that may wait; what comes beyond them is lost. */
  readonly most: number
  /** The file cannot be written any more: its disk is full, or nobody reads the pipe. Told once. */
  readonly onBroken: () => void
}

/**
 * Writes text to a descriptor, one piece after the other; this thread writes only when it flushes. A flush ends whatever is wrong
 * with the destination: neither a full disk nor a reader that has gone may keep a process from its end.
 */
export class LineWriter implements LineStream {
  readonly #fd: number
  readonly #options: LineWriterOptions
  readonly #waiting: Buffer[] = []
  /** Octets in `waiting` and `writing`. */
  #octets = 0
  #writing: Buffer | undefined
  /** What is being written waits for the reader. */
  #timer: NodeJS.Timeout | undefined
  #ending = false
  #broken = false

  constructor(fd: number, options: LineWriterOptions) {
    this.#fd = fd
    this.#options = options
  }

  write(text: string): void {
    if (this.#broken || this.#ending || text === '') return
    const piece = Buffer.from(text)
    if (this.#octets + piece.length > this.#options.most) return
    this.#octets += piece.length
    this.#waiting.push(piece)
    if (this.#writing === undefined) this.#next()
  }

  flushSync(): void {
    if (this.#timer !== undefined && this.#writing !== undefined) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#waiting.unshift(this.#writing)
      this.#writing = undefined
    }
    const until = performance.now() + FLUSH_MS
    for (let piece = this.#waiting.shift(); piece !== undefined && !this.#broken; piece = this.#waiting.shift()) {
      this.#writeNow(piece, until)
    }
  }

  end(): void {
    if (this.#ending) return
    this.#ending = true
    if (this.#writing === undefined) this.#next()
  }

  #writeNow(piece: Buffer, until: number): void {
    for (let at = 0; at < piece.length; ) {
      try {
        const written = writeSync(this.#fd, piece, at)
        at += written
        this.#octets -= written
      } catch (error) {
        if (!isBehind(error as NodeJS.ErrnoException) || performance.now() > until) {
          this.#break()
          return
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS)
      }
    }
  }

  #next(): void {
    this.#writing = this.#broken ? undefined : this.#waiting.shift()
    if (this.#writing !== undefined) this.#go(this.#writing)
    else if (this.#ending) close(this.#fd, () => undefined)
  }

  #go(piece: Buffer): void {
    write(this.#fd, piece, (error, written) => {
      if (error !== null && isBehind(error)) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#go(piece)
        }, AGAIN_MS).unref()
        return
      }
      if (error !== null) this.#break()
      else this.#octets -= written
      if (error === null && written < piece.length) {
        this.#writing = piece.subarray(written)
        this.#go(this.#writing)
      } else this.#next()
    })
  }

  #break(): void {
    if (this.#broken) return
    this.#broken = true
    this.#waiting.length = 0
    this.#options.onBroken()
  }
}

function isBehind({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EAGAIN' || code === 'EBUSY'
}

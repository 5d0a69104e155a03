// SPDX-License-Identifier: MIT

/** Where the lines of a log go. */
export interface Sink {
  write(text: string): unknown
  /** What is held goes out soon, without waiting for more. */
  push(): void
  /** What is held is written when this returns, but for what a thread is writing already. */
  flush(): void
  close(): void
}

/** What a sink needs of the stream behind it. */
export interface LineStream {
  write(text: string): unknown
  /** Does not throw: the destination may have gone, and there is nobody left to tell. */
  flushSync(): void
  /** Closes the file when what waits is written. The second time it does nothing. */
  end(): void
}

/** No line is held longer, in milliseconds, so that who follows the log sees what happens when it happens. */
const HELD_MS = 200

/** Passes every line on at once. */
export function directSink(destination: { write(text: string): unknown }): Sink {
  return { write: (text) => destination.write(text), push() {}, flush() {}, close() {} }
}

/**
 * Holds lines back for a moment: each write to a file is a task for the thread pool, which costs more than the line. Its one timer
 * runs only while something is held, and does not keep the process alive.
 */
export class HoldingSink implements Sink {
  readonly #stream: LineStream
  readonly #most: number
  readonly #owned: boolean
  #held = ''
  #timer: NodeJS.Timeout | undefined
  #over = false
  readonly #due = (): void => {
    this.#timer = undefined
    this.push()
  }

  /** Not more than `most` characters are written together, unless one line is longer. `owned`: close() ends the stream. */
  constructor(stream: LineStream, options: { readonly most: number; readonly owned: boolean }) {
    this.#stream = stream
    this.#most = options.most
    this.#owned = options.owned
  }

  write(text: string): void {
    if (this.#over) return
    if (this.#held.length + text.length > this.#most) this.push()
    this.#held += text
    this.#timer ??= setTimeout(this.#due, HELD_MS).unref()
  }

  push(): void {
    const held = this.#held
    if (held === '' || this.#over) return
    this.#held = ''
    this.#stream.write(held)
  }

  flush(): void {
    this.push()
    if (!this.#over) this.#stream.flushSync()
  }

  /** The stream broke: what would be written from now on is lost. */
  fail(): void {
    this.#over = true
    this.#held = ''
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  close(): void {
    this.flush()
    // A file that broke is still open.
    if (this.#owned) this.#stream.end()
    this.fail()
  }
}

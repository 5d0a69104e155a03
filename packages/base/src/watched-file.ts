// SPDX-License-Identifier: MIT
import { readFileSync, statSync } from 'node:fs'
import type { Clock } from './clock.js'

export interface WatchedFileOptions<T> {
  readonly path: string
  /** Makes of the text what it means. Throws when it means nothing. */
  readonly parse: (text: string) => T
  readonly clock: Clock
  /** The file has changed and was read again. */
  readonly changed: (value: T) => void
  /** The file has changed and cannot be read, or means nothing: what it held before stays. Told once for each change. */
  readonly failed: (cause: unknown) => void
}

const CHECK_EVERY_MS = 1_000

/**
 * What a small file holds, read again when its time, size or inode has changed: whoever asks has it looked at, at most once a
 * second. Reading is synchronous.
 */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>
  #value: T
  #seen: string
  #checkedAt: number

  /** Throws when the file cannot be read at first, or means nothing. */
  constructor(options: WatchedFileOptions<T>) {
    const { path, parse, clock } = options
    this.#options = options
    this.#seen = identityOf(path)
    this.#value = parse(readFileSync(path, 'utf8'))
    this.#checkedAt = clock.now()
  }

  get current(): T {
    const { path, parse, clock, changed, failed } = this.#options
    const now = clock.now()
    if (now - this.#checkedAt < CHECK_EVERY_MS) return this.#value
    this.#checkedAt = now
    const seen = identityOf(path)
    if (seen === this.#seen) return this.#value
    this.#seen = seen
    try {
      this.#value = parse(readFileSync(path, 'utf8'))
      changed(this.#value)
    } catch (cause) {
      failed(cause)
    }
    return this.#value
  }
}

/** A file written twice within its clock's grain with the same size has another inode, or another change time. */
function identityOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? 'absent' : `${stat.ino}/${stat.size}/${stat.mtimeMs}/${stat.ctimeMs}`
}

// SPDX-License-Identifier: MIT
import type { OnReadOpts } from 'node:net'
import type { Octets } from './leg.js'

const SIZE = 65_536
/** A read below this ends a bulk transfer: the private memory is given back. */
const SMALL = 16_384

/** What every socket reads into while it has little to say: overwritten by the next read of any of them. */
const shared = Buffer.allocUnsafeSlow(SIZE)
/** The private memory whose octets are on view now. */
let lent: Buffer | undefined

/**
 * Where one socket reads to: no memory is allocated per read. A short read goes through memory shared by all sockets; a socket
 * in the midst of a bulk transfer gets its own, which can be written from without a copy and is replaced only when somebody had
 * to keep it.
 */
export class ReadMemory {
  readonly #size: number
  #own: Buffer | undefined

  /** `longest`: octets that one read brings at most; a read of so many is bulk. */
  constructor(longest: number = SIZE) {
    this.#size = longest
  }

  /** Where the next read goes. Whoever reads keeps it alive. */
  get next(): Buffer {
    return this.#own ?? shared
  }

  /** `length` octets were read into {@link next}: shows them. */
  show(length: number, reader: { received(view: Buffer): void }): void {
    const own = this.#own
    const memory = own ?? shared
    lent = own
    reader.received(Buffer.from(memory.buffer, memory.byteOffset, length))
    const kept = own !== undefined && lent === undefined
    lent = undefined
    if (length < SMALL) this.#own = undefined
    else if (kept || (own === undefined && length === this.#size)) this.#own = Buffer.allocUnsafeSlow(this.#size)
  }
}

/** A {@link ReadMemory} as Node's `onread` takes it. */
export function readMemory(reader: { received(view: Buffer): void }): OnReadOpts {
  const memory = new ReadMemory()
  return {
    buffer: () => memory.next,
    callback(length) {
      memory.show(length, reader)
      return true
    },
  }
}

/** The octets of a view as they may be given to a socket, which is done with them at once or holds them: see {@link hold}. */
export function writable(view: Octets): Octets {
  return isShared(view) ? Buffer.from(view) : view
}

/** Whether the next read of any socket goes there. */
export function isShared(view: Octets): boolean {
  return view.buffer === shared.buffer
}

/** Octets that outlive the call in which they were shown: a copy of shared memory; private memory will not be read into again. */
export function hold<T extends Octets>(view: T): T | Buffer {
  if (isShared(view)) return Buffer.from(view)
  if (view.buffer === lent?.buffer) lent = undefined
  return view
}

/** As {@link hold}, for octets that passed {@link writable}. */
export function held(bytes: Octets): void {
  if (bytes.buffer === lent?.buffer) lent = undefined
}

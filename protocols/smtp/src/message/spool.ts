// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import type { SpoolBudget } from './spool-budget.js'
import { openSpoolFile, type SpoolFile } from './spool-file.js'

const DEFAULT_MEMORY_LIMIT = 256 * 1024
const SMALLEST_SLAB = 8 * 1024
/** Octets of one write or read of the file. */
const SLAB = 64 * 1024
/** Octets that may wait for the disk; beyond it whoever writes has to wait. */
const MOST_WAITING = 256 * 1024

/** Why a message is not kept: larger than its limit, no room for now, or the disk failed. */
export type SpoolFault = 'too-big' | 'no-room' | 'disk'

export interface SpoolSettings {
  readonly budget: SpoolBudget
  /** Largest message, in octets. */
  readonly maxSize: number
  /** Octets up to which a message stays in memory; 256 KiB when absent. */
  readonly memoryLimit?: number
  /** Opens the file of a larger one. */
  readonly openFile?: () => Promise<SpoolFile>
}

/** Takes a piece of a message. False: the reader wants no more. A promise: not before it has settled. */
export type SpoolReader = (piece: Octets) => boolean | Promise<boolean>

/** A message that is whole and here. */
export interface SpooledMessage {
  readonly size: number
  /** Gives the message to a reader piece by piece, as often as wanted. The pieces stay as they are while the message is kept. */
  read(take: SpoolReader): Promise<'done' | 'stopped' | 'failed'>
  /** The first `limit` octets; undefined when the disk failed. */
  start(limit: number): Promise<Buffer | undefined>
}

export type Spooled =
  | { readonly kind: 'spooled'; readonly message: SpooledMessage }
  | { readonly kind: 'refused'; readonly why: SpoolFault }

interface Slab {
  readonly room: Buffer
  length: number
}

/**
 * Keeps a message as it comes: in memory up to a limit, then in a file without a name. Who makes it disposes of it, and with it
 * of the message.
 */
export class Spool implements AsyncDisposable {
  /** Called when writing may go on after a `false`. */
  onDrain: () => void = () => {}
  readonly #settings: SpoolSettings
  readonly #memoryLimit: number
  #slabs: Slab[] = []
  #size = 0
  /** Octets of the message that are in slabs. */
  #held = 0
  #onDisk = 0
  #file: SpoolFile | undefined
  /** What the disk is doing. */
  #busy: Promise<void> | undefined
  #waited = false
  #over = false
  #fault: SpoolFault | undefined

  constructor(settings: SpoolSettings) {
    this.#settings = settings
    this.#memoryLimit = settings.memoryLimit ?? DEFAULT_MEMORY_LIMIT
  }

  /** Set once the message cannot be kept; what is written then is dropped. */
  get fault(): SpoolFault | undefined {
    return this.#fault
  }

  get size(): number {
    return this.#size
  }

  /** Copies the view. False: it is kept, but the next one has to wait for {@link onDrain}. */
  write(view: Octets): boolean {
    if (this.#over || this.#fault !== undefined) return true
    this.#size += view.length
    if (this.#size > this.#settings.maxSize) this.#fail('too-big')
    else if (!this.#keep(view)) this.#fail('no-room')
    else if (this.#held > this.#mostHeld()) this.#busy ??= this.#flush(SLAB)
    // Whoever was told to wait once is told when to go on, whatever becomes of the octets that still came.
    this.#waited ||= this.#fault === undefined && this.#busy !== undefined && this.#held > MOST_WAITING
    return !this.#waited
  }

  /** All is written. */
  async finish(): Promise<Spooled> {
    await this.#busy
    if (this.#file !== undefined) await this.#startFlush(1)
    if (this.#fault !== undefined) return { kind: 'refused', why: this.#fault }
    const read = (take: SpoolReader) => this.#read(take)
    return { kind: 'spooled', message: { size: this.#size, read, start: (limit) => this.#start(limit) } }
  }

  /** Gives everything back. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    await this.#busy
    await this.#release()
  }

  /** Octets above which some go to the file. */
  #mostHeld(): number {
    if (this.#file !== undefined) return SLAB
    return this.#settings.budget.tight ? Math.min(SLAB, this.#memoryLimit) : this.#memoryLimit
  }

  #keep(view: Octets): boolean {
    for (let from = 0; from < view.length; ) {
      const slab = this.#roomySlab()
      if (slab === undefined) return false
      const some = view.subarray(from, from + slab.room.length - slab.length)
      slab.room.set(some, slab.length)
      slab.length += some.length
      this.#held += some.length
      from += some.length
    }
    return true
  }

  /** The last slab, or a new one when it is full; undefined when there is no memory for it. */
  #roomySlab(): Slab | undefined {
    const last = this.#slabs.at(-1)
    if (last !== undefined && last.length < last.room.length) return last
    const size = last === undefined ? SMALLEST_SLAB : Math.min(SLAB, last.room.length * 2)
    if (!this.#settings.budget.take('memory', size)) return undefined
    const slab = { room: Buffer.allocUnsafeSlow(size), length: 0 }
    this.#slabs.push(slab)
    return slab
  }

  #startFlush(least: number): Promise<void> {
    this.#busy = this.#flush(least)
    return this.#busy
  }

  /** Writes slabs to the file while at least `least` octets are held. Never rejects. */
  async #flush(least: number): Promise<void> {
    try {
      this.#file ??= await (this.#settings.openFile ?? openSpoolFile)()
      while (this.#held >= least && this.#fault === undefined && !this.#over) await this.#writeSlab(this.#file)
    } catch {
      this.#fault ??= 'disk'
    }
    if (this.#fault !== undefined) await this.#release()
    this.#busy = undefined
    if (!this.#waited) return
    this.#waited = false
    this.onDrain()
  }

  async #writeSlab(file: SpoolFile): Promise<void> {
    const [slab] = this.#slabs
    if (slab === undefined) return
    if (!this.#settings.budget.take('disk', slab.length)) {
      this.#fault = 'no-room'
      return
    }
    // No longer among those that are written to: whatever comes now goes behind it.
    this.#slabs.shift()
    this.#onDisk += slab.length
    this.#held -= slab.length
    try {
      await file.write(slab.room.subarray(0, slab.length), this.#onDisk - slab.length)
    } finally {
      this.#settings.budget.giveBack('memory', slab.room.length)
    }
  }

  /** Whatever the disk is doing, it sees the fault and gives everything back. */
  #fail(fault: SpoolFault): void {
    this.#fault = fault
    this.#busy ??= this.#release()
  }

  async #release(): Promise<void> {
    const { budget } = this.#settings
    const file = this.#file
    for (const slab of this.#slabs) budget.giveBack('memory', slab.room.length)
    const onDisk = this.#onDisk
    this.#slabs = []
    this.#held = 0
    this.#onDisk = 0
    this.#file = undefined
    // A file that cannot be closed is gone with the process; there is nothing else to do about it.
    await file?.close().catch(() => {})
    budget.giveBack('disk', onDisk)
  }

  async #read(take: SpoolReader): Promise<'done' | 'stopped' | 'failed'> {
    for (const slab of this.#slabs) if (!(await take(slab.room.subarray(0, slab.length)))) return 'stopped'
    for (let at = 0; at < this.#onDisk; ) {
      const piece = await this.#piece(at)
      if (piece === undefined) return 'failed'
      if (!(await take(piece))) return 'stopped'
      at += piece.length
    }
    return this.#over ? 'failed' : 'done'
  }

  /** Octets of the file; undefined when they cannot be had. */
  async #piece(at: number): Promise<Buffer | undefined> {
    const piece = Buffer.allocUnsafeSlow(Math.min(SLAB, this.#onDisk - at))
    try {
      return (await this.#file?.read(piece, at)) === piece.length ? piece : undefined
    } catch {
      return undefined
    }
  }

  async #start(limit: number): Promise<Buffer | undefined> {
    const pieces: Octets[] = []
    let missing = Math.min(limit, this.#size)
    const end = await this.#read((piece) => {
      pieces.push(piece.subarray(0, missing))
      missing -= Math.min(missing, piece.length)
      return missing > 0
    })
    return end === 'failed' ? undefined : Buffer.concat(pieces)
  }
}

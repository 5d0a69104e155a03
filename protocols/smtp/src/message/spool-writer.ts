// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import type { Spool, SpooledMessage } from './spool.js'

/** Other octets instead of some of a message: those from `from` on, up to but without `to`. */
export interface Cut {
  readonly from: number
  readonly to: number
  readonly instead: Buffer
}

/** Some octets of a message; undefined when they cannot be had. */
export async function octetsOf(message: SpooledMessage, from: number, to: number): Promise<Buffer | undefined> {
  const pieces: Octets[] = []
  let at = 0
  const ended = await message.read((piece) => {
    const some = piece.subarray(Math.max(0, from - at), Math.max(0, to - at))
    if (some.length > 0) pieces.push(some)
    at += piece.length
    return at < to
  })
  return ended === 'failed' || at < to ? undefined : Buffer.concat(pieces)
}

/** Writes a message down at the pace of its disk. */
export class Writer {
  readonly #spool: Spool

  constructor(spool: Spool) {
    this.#spool = spool
  }

  async write(octets: Octets): Promise<void> {
    if (octets.length === 0 || this.#spool.write(octets)) return
    await new Promise<void>((resolve) => {
      this.#spool.onDrain = resolve
    })
  }

  /** All of a message with its cuts, which are in their order and do not overlap. False: it could not be read, or nobody waits. */
  async copy(message: SpooledMessage, cuts: readonly Cut[], waiting: () => boolean): Promise<boolean> {
    const copy = new CutCopy(cuts, (octets) => this.write(octets))
    const ended = await message.read(async (piece) => {
      await copy.take(piece)
      return waiting()
    })
    await copy.end()
    return ended === 'done'
  }

  /** Undefined: it could not be kept. */
  async finish(): Promise<SpooledMessage | undefined> {
    const spooled = await this.#spool.finish()
    return spooled.kind === 'spooled' ? spooled.message : undefined
  }
}

class CutCopy {
  readonly #cuts: Cut[]
  readonly #write: (octets: Octets) => Promise<void>
  #at = 0
  /** What stands instead of the first cut has been written. */
  #replaced = false

  constructor(cuts: readonly Cut[], write: (octets: Octets) => Promise<void>) {
    this.#cuts = [...cuts]
    this.#write = write
  }

  async take(piece: Octets): Promise<void> {
    let rest = piece
    while (rest.length > 0) {
      const [cut] = this.#cuts
      if (cut === undefined || this.#at < cut.from) {
        const kept = rest.subarray(0, cut === undefined ? rest.length : cut.from - this.#at)
        await this.#write(kept)
        rest = this.#pass(rest, kept.length)
      } else {
        await this.#replace(cut)
        rest = this.#pass(rest, Math.min(rest.length, cut.to - this.#at))
        if (this.#at >= cut.to) this.#next()
      }
    }
  }

  /** What is put behind the last octet is still to come. */
  async end(): Promise<void> {
    for (const cut of this.#cuts.splice(0)) await this.#replace(cut)
  }

  async #replace(cut: Cut): Promise<void> {
    if (!this.#replaced) await this.#write(cut.instead)
    this.#replaced = true
  }

  #next(): void {
    this.#cuts.shift()
    this.#replaced = false
  }

  #pass(octets: Octets, length: number): Octets {
    this.#at += length
    return octets.subarray(length)
  }
}

/** Some octets of a message as one of their own. */
export function partOf(message: SpooledMessage, from: number, to: number): SpooledMessage {
  const read: SpooledMessage['read'] = async (take) => {
    let at = 0
    let wanted = true
    const ended = await message.read(async (piece) => {
      const some = piece.subarray(Math.max(0, from - at), Math.max(0, to - at))
      at += piece.length
      if (some.length > 0) wanted = await take(some)
      return wanted && at < to
    })
    return ended === 'stopped' && wanted ? 'done' : ended
  }
  return { size: to - from, read, start: (limit) => octetsOf(message, from, Math.min(to, from + limit)) }
}

// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import type { SpooledMessage } from '../message/spool.js'
import type { Delivery } from './delivery.js'

/** Header section in pieces, and the message whose first octets it stands for. */
export interface Outgoing {
  readonly pieces: readonly Octets[]
  readonly message: SpooledMessage
  readonly skipped: number
}

/**
 * Sends a kept message with the pace of its backends. Header section, end and what is small between them go out in one write.
 */
export class SpooledDelivery {
  readonly #delivery: Delivery
  readonly #outgoing: Outgoing
  /** Octets of the message that are still to go out behind the header section. */
  #left: number
  #begun = false
  #goOn: (() => void) | undefined

  constructor(delivery: Delivery, outgoing: Outgoing) {
    this.#delivery = delivery
    this.#outgoing = outgoing
    this.#left = outgoing.message.size - outgoing.skipped
  }

  /** False: the message did not go out whole, and has no end. */
  async send(): Promise<boolean> {
    const delivery = this.#delivery
    const { message, skipped } = this.#outgoing
    delivery.start(() => this.#goOn?.())
    if (this.#left === 0) this.#put(undefined)
    else {
      let missing = skipped
      await message.read((piece) => {
        const rest = piece.subarray(Math.min(piece.length, missing))
        missing -= piece.length - rest.length
        return rest.length === 0 || this.#write(rest)
      })
    }
    delivery.stop()
    return this.#left === 0 && delivery.broken === undefined
  }

  #write(piece: Octets): boolean | Promise<boolean> {
    const delivery = this.#delivery
    if (delivery.broken !== undefined) return false
    this.#put(piece)
    // Behind the end of the message nothing more has to be written.
    if (!delivery.blocked || this.#left === 0) return true
    return new Promise((resolve) => {
      this.#goOn = () => {
        this.#goOn = undefined
        resolve(delivery.broken === undefined)
      }
    })
  }

  #put(piece: Octets | undefined): void {
    const delivery = this.#delivery
    delivery.batch(() => {
      if (!this.#begun) this.#begin()
      if (piece !== undefined) {
        delivery.write(piece)
        this.#left -= piece.length
      }
      if (this.#left === 0) delivery.end()
    })
  }

  #begin(): void {
    const { pieces } = this.#outgoing
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#begun = true
    this.#delivery.chunk(size + this.#left, true)
    for (const piece of pieces) this.#delivery.write(piece)
  }
}

// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import { DotUnstuffer } from '../message/dot-stuffing.js'
import type { LineForm } from '../message/header-fields.js'
import type { Spool } from '../message/spool.js'
import type { MessageSink } from './delivery.js'

/** Keeps a message as a plain one, whatever the form it comes in. */
export class SpoolSink implements MessageSink {
  readonly #spool: Spool
  readonly #unstuffer: DotUnstuffer | undefined
  #blocked = false

  constructor(spool: Spool, form: LineForm) {
    this.#spool = spool
    this.#unstuffer = form === 'data' ? new DotUnstuffer() : undefined
  }

  get blocked(): boolean {
    return this.#blocked
  }

  get broken(): 'no-room' | undefined {
    return this.#spool.fault === undefined ? undefined : 'no-room'
  }

  start(resume: () => void): void {
    this.#spool.onDrain = () => {
      this.#blocked = false
      resume()
    }
  }

  batch(fill: () => void): void {
    fill()
  }

  write(view: Octets): void {
    if (this.#unstuffer === undefined) this.#keep(view)
    else this.#unstuffer.unstuff(view, (piece) => this.#keep(piece))
  }

  writeText(latin1: string): void {
    if (latin1 !== '') this.write(Buffer.from(latin1, 'latin1'))
  }

  chunk(): void {}

  endPart(): void {}

  end(): void {}

  cut(): void {}

  stop(): void {}

  #keep(piece: Octets): void {
    if (!this.#spool.write(piece)) this.#blocked = true
  }
}

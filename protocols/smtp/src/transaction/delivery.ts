// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { Octets, TimerWheel } from '@portico/net'
import type { LineForm } from '../message/header-fields.js'
import type { Branch } from './envelope.js'
import { Outlet, type OutletOwner } from './outlet.js'

/** How long a backend may refuse to take more octets (RFC 5321 section 4.5.3.2.5). */
const BLOCKED = 3 * 60_000

/** Takes a message's octets: its backends, or a place where it is kept. */
export interface MessageSink {
  /** No more octets until `resume`, which is handed over by {@link start}, is called. */
  readonly blocked: boolean
  /** Why nobody takes the message any more. */
  readonly broken: 'backend-lost' | 'no-room' | undefined
  start(resume: () => void): void
  /** Many small writes in one. */
  batch(fill: () => void): void
  /** Octets that follow, of a chunk that is announced; `last` completes the message. */
  chunk(size: number, last: boolean): void
  write(view: Octets): void
  writeText(latin1: string): void
  /** The chunk is complete. */
  endPart(): void
  /** The message is complete. */
  end(): void
  /** The message is given up. */
  cut(): void
  /** No more octets for now: no timer outlives it. */
  stop(): void
}

/**
 * A message on its way to its backends: the octets go to all of them with the pace of the slowest. Where each recipient has an
 * answer of its own a backend that is lost takes only its recipients along; else it takes the message.
 */
export class Delivery implements MessageSink, OutletOwner {
  readonly outlets: readonly Outlet[]
  readonly #wheel: TimerWheel
  readonly #each: boolean
  #resume: () => void = () => {}
  #timer: Timer | undefined

  /** `each`: each recipient has an answer of its own. `chunked`: which backends get the message in chunks. */
  constructor(
    branches: readonly Branch[],
    { form, each, wheel }: { readonly form: LineForm; readonly each: boolean; readonly wheel: TimerWheel },
    chunked: (branch: Branch) => boolean,
  ) {
    this.outlets = branches.map((branch) => new Outlet(branch, this, form, chunked(branch)))
    this.#each = each
    this.#wheel = wheel
  }

  get blocked(): boolean {
    return this.#timer !== undefined
  }

  get broken(): 'backend-lost' | undefined {
    const { outlets } = this
    const broken = this.#each ? outlets.every(({ lost }) => lost) : outlets.some(({ lost }) => lost)
    return broken ? 'backend-lost' : undefined
  }

  start(resume: () => void): void {
    this.#resume = resume
    for (const outlet of this.outlets) if (!outlet.lost) outlet.attach()
  }

  batch(fill: () => void): void {
    this.#batchFrom(0, fill)
    this.#watch()
  }

  chunk(size: number, last: boolean): void {
    for (const outlet of this.outlets) outlet.chunk(size, last)
  }

  write(view: Octets): void {
    for (const outlet of this.outlets) outlet.write(view)
  }

  writeText(latin1: string): void {
    for (const outlet of this.outlets) outlet.writeText(latin1)
  }

  endPart(): void {
    for (const outlet of this.outlets) outlet.endPart()
  }

  end(): void {
    for (const outlet of this.outlets) outlet.end()
  }

  cut(): void {
    for (const outlet of this.outlets) outlet.drop()
    this.#watch()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  outletDrained(): void {
    this.#watch()
  }

  outletLost(): void {
    if (!this.#each) this.cut()
    else this.#watch()
    // Who feeds this has to look at `broken`, also while nothing comes from the client.
    this.#resume()
  }

  /** Batches at the outlets from this one on, each within the one before. */
  #batchFrom(at: number, fill: () => void): void {
    const outlet = this.outlets[at]
    if (outlet === undefined) fill()
    else if (outlet.lost) this.#batchFrom(at + 1, fill)
    else outlet.branch.backend.leg.batch(() => this.#batchFrom(at + 1, fill))
  }

  /** Holds the client while any backend takes nothing, and gives up those that do so for too long. */
  #watch(): void {
    const blocked = this.outlets.some((outlet) => outlet.blocked)
    if (blocked === this.blocked) return
    if (blocked) {
      this.#timer = this.#wheel.add(BLOCKED, () => {
        this.#timer = undefined
        for (const outlet of this.outlets) if (outlet.blocked) outlet.drop()
        this.outletLost()
      })
      return
    }
    this.stop()
    this.#resume()
  }
}

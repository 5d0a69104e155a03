// SPDX-License-Identifier: MIT
import type { Leg, LegEnd, LegReader, Octets } from '@portico/net'

/** A reader that writes down what it is told, and can be waited for. */
export class Notes implements LegReader {
  readonly pieces: Buffer[] = []
  readonly events: string[] = []
  readonly ends: LegEnd[] = []
  take: (view: Octets) => number = (view) => view.length
  readonly #waiting: { readonly ready: () => boolean; readonly resolve: () => void }[] = []

  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1')
  }

  get length(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0)
  }

  onBytes(view: Octets): number {
    const count = this.take(view)
    this.pieces.push(Buffer.from(view.subarray(0, count)))
    return this.#note('bytes', count)
  }

  onDrain(): void {
    this.#note('drain', 0)
  }

  onPeerEnd(): void {
    this.#note('peer-end', 0)
  }

  onEnd(why: LegEnd): void {
    this.ends.push(why)
    this.#note('end', 0)
  }

  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }))
  }

  #note(event: string, count: number): number {
    this.events.push(event)
    for (const { ready, resolve } of this.#waiting) if (ready()) resolve()
    return count
  }
}

/** Reads a leg from now on. */
export function reading(leg: Leg): Notes {
  const notes = new Notes()
  leg.setReader(notes)
  leg.resume()
  return notes
}

/** Long enough for loopback octets to arrive, for tests that nothing happens. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30))
}

// SPDX-License-Identifier: MIT
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'
import { type ProxyHeader, parseProxyHeader } from './proxy-header.js'

export type ProxyRead =
  | ProxyHeader
  | { readonly kind: 'bad'; readonly why: string }
  /** The peer left before a header was complete. */
  | { readonly kind: 'closed' }

/** Takes exactly the PROXY header from a leg and leaves it paused, with whatever followed untouched. Never rejects. */
export function readProxyHeader(leg: Leg, timeoutMs: number): Promise<ProxyRead> {
  return new Promise((resolve) => {
    leg.setDeadline(timeoutMs)
    leg.setReader(new HeaderReader(leg, resolve))
  })
}

class HeaderReader implements LegReader {
  readonly #leg: Leg
  readonly #resolve: (read: ProxyRead) => void
  #held: Buffer = Buffer.alloc(0)

  constructor(leg: Leg, resolve: (read: ProxyRead) => void) {
    this.#leg = leg
    this.#resolve = resolve
  }

  onBytes(view: Octets): number {
    const before = this.#held.length
    this.#held = Buffer.concat([this.#held, view])
    const parsed = parseProxyHeader(this.#held)
    if (parsed.kind === 'need-more') return view.length
    this.#finish(parsed)
    return parsed.kind === 'header' ? parsed.length - before : view.length
  }

  onDrain(): void {}

  onPeerEnd(): void {
    this.#finish({ kind: 'closed' })
  }

  onEnd(why: LegEnd): void {
    this.#finish(why.kind === 'deadline' ? { kind: 'bad', why: 'no PROXY header in time' } : { kind: 'closed' })
  }

  #finish(read: ProxyRead): void {
    this.#leg.pause()
    this.#leg.setDeadline(0)
    this.#resolve(read)
  }
}

// SPDX-License-Identifier: MIT
import type { Timer } from '@portico/base'
import type { Leg, LegEnd, LegReader, Octets } from './leg.js'
import type { RelayEnd, RelayLimits, RelayObserver } from './relay-types.js'
import type { TimerWheel } from './timer-wheel.js'

const LF = 10
/**
 * A client's end is told to a TLS backend only when both have been silent for so long: whoever hears it may discard what it has
 * still to say (RFC 5246 section 7.2.1), and servers do so with the answers to commands that came right before.
 */
const SILENT_MS = 3_000

/** Two legs joined. */
export interface Relay {
  /** Both legs are closed. Never rejects. */
  readonly done: Promise<RelayEnd>
  /** Octets relayed so far, both ways together: whoever sees the same number twice knows that nothing came in between. */
  readonly moved: number
  /** Nothing is under way in either direction, and what was last relayed each way ended a line. */
  readonly quiet: boolean
  /** Ends both sides in order: nothing more is relayed, the client gets what is already on its way, and then the last words. */
  stop(lastWords?: string): void
}

/**
 * Joins a client leg and a backend leg: what their readers left comes first, then every octet, both ways, with back-pressure.
 * One side's EOF is passed on as such, to a TLS backend when all is silent; one side's error drops the other. Takes the legs over: both are closed at the end.
 */
export function relay(
  client: Leg,
  backend: Leg,
  limits: RelayLimits,
  wheel: TimerWheel,
  observer?: RelayObserver,
): Relay {
  return new TwoWay(client, backend, limits, wheel, observer)
}

class Direction implements LegReader {
  readonly from: Leg
  readonly to: Leg
  readonly owner: TwoWay
  readonly observe: ((view: Octets) => void) | undefined
  bytes = 0
  endsLine = true
  peerEnded = false
  end: LegEnd | undefined

  constructor(from: Leg, to: Leg, owner: TwoWay, observe: ((view: Octets) => void) | undefined) {
    this.from = from
    this.to = to
    this.owner = owner
    this.observe = observe
  }

  onBytes(view: Octets): number {
    this.bytes += view.length
    this.endsLine = view[view.length - 1] === LF
    this.observe?.(view)
    if (!this.to.writeView(view)) this.from.pause()
    return view.length
  }

  /** What is drained is this leg's sending side: the other leg may be read again. */
  onDrain(): void {
    this.to.resume()
  }

  onPeerEnd(): void {
    this.peerEnded = true
    this.owner.peerEnded(this)
  }

  onEnd(why: LegEnd): void {
    this.end = why
    this.owner.ended(this, why)
  }
}

class TwoWay implements Relay {
  readonly done: Promise<RelayEnd>
  readonly #up: Direction
  readonly #down: Direction
  readonly #limits: RelayLimits
  readonly #wheel: TimerWheel
  #first: RelayEnd['first'] | undefined
  #stopping = false
  #halfClosed: Timer | undefined
  /** The client's end waits to be passed on. */
  #held: Timer | undefined
  #resolve: (end: RelayEnd) => void = () => undefined

  constructor(client: Leg, backend: Leg, limits: RelayLimits, wheel: TimerWheel, observer: RelayObserver | undefined) {
    this.#limits = limits
    this.#wheel = wheel
    this.#up = new Direction(client, backend, this, observer && ((view) => observer.toBackend(view)))
    this.#down = new Direction(backend, client, this, observer && ((view) => observer.toClient(view)))
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    // Every relayed octet passes the client's leg, so that one timer watches both.
    client.setDeadline(0)
    backend.setDeadline(0)
    backend.setIdle(0)
    client.setIdle(limits.idleMs)
    client.setReader(this.#up)
    backend.setReader(this.#down)
    this.#start(client, backend)
    this.#start(backend, client)
  }

  get moved(): number {
    return this.#up.bytes + this.#down.bytes
  }

  get quiet(): boolean {
    const { from: client, to: backend } = this.#up
    const waiting = client.queued + backend.queued + client.buffered + backend.buffered
    return waiting === 0 && this.#up.endsLine && this.#down.endsLine
  }

  stop(lastWords = ''): void {
    if (this.#stopping) return
    this.#first ??= 'us'
    this.#stopping = true
    this.#up.to.destroy()
    if (lastWords !== '') this.#up.from.writeText(lastWords)
    this.#up.from.close(this.#limits.lingerMs)
  }

  peerEnded(direction: Direction): void {
    this.#first ??= direction === this.#up ? 'client' : 'backend'
    if (this.#halfClosed === undefined) this.#watch(this.moved)
    if (direction === this.#up && direction.to.tls !== undefined && !this.#down.peerEnded) {
      this.#hold(this.moved)
      return
    }
    direction.to.end()
    if (this.#held !== undefined) this.#up.to.end()
  }

  ended(direction: Direction, why: LegEnd): void {
    this.#first ??= why.kind === 'error' ? (direction === this.#up ? 'client' : 'backend') : 'us'
    if (why.kind !== 'finished') this.#dropOther(direction)
    const client = this.#up.end
    const backend = this.#down.end
    if (client === undefined || backend === undefined) return
    this.#halfClosed?.cancel()
    this.#held?.cancel()
    this.#resolve({
      first: this.#first,
      client,
      backend,
      bytesToBackend: this.#up.bytes,
      bytesToClient: this.#down.bytes,
    })
  }

  #start(from: Leg, to: Leg): void {
    if (to.needsDrain) from.pause()
    else from.resume()
  }

  /** After stop() the client is still being told; anything else that ends one side ends the other. */
  #dropOther(direction: Direction): void {
    const other = direction === this.#up ? this.#down : this.#up
    if (this.#stopping && other === this.#up) return
    other.from.destroy()
  }

  #hold(before: number): void {
    this.#held = this.#wheel.add(SILENT_MS, () => {
      if (this.moved !== before) this.#hold(this.moved)
      else this.#up.to.end()
    })
  }

  /** One side has finished: the other may go on as long as something moves. */
  #watch(before: number): void {
    this.#halfClosed = this.#wheel.add(this.#limits.halfClosedMs, () => {
      if (this.moved !== before) return this.#watch(this.moved)
      this.#first ??= 'us'
      this.#up.from.destroy()
      this.#down.from.destroy()
    })
  }
}

// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type BackendErrorCode, type Cancellation, CancellationSource } from '@portico/base'
import type { Acquired, BackendDriver, PoolStats } from './backend-pool.js'
import { Breaker } from './breaker.js'
import { type Connection, type Dud, openConnection } from './connection.js'
import { watchIdle } from './idle-watch.js'
import { ConnectionLease, type Lender } from './lease.js'
import { isClean, type LeaseRule } from './lease-rule.js'
import type { BackendPoolOptions } from './options.js'
import { createResourcePool, type ResourcePool } from './resource-pool.js'
import { Slots } from './slots.js'

const IDLE_MS = 60_000
const MAX_IDLE = 16
const BREAKER_FAILURES = 5
const BREAKER_MS = 2_000

/** All connections to one backend. */
export class Shelf implements Lender {
  readonly #backend: Backend
  readonly #driver: BackendDriver
  readonly #options: BackendPoolOptions
  readonly #rule: LeaseRule
  readonly #resources: ResourcePool<Connection | Dud>
  readonly #slots: Slots
  readonly #breaker: Breaker
  /** Unlent connections that live, each with how to take it from the shelf. */
  readonly #idle = new Map<Connection, () => void>()
  readonly #opening = new Set<CancellationSource>()
  /** Who waits for a connection to open, and has not given up. */
  #hoping = 0
  #closed = false

  constructor(backend: Backend, driver: BackendDriver, options: BackendPoolOptions, rule: LeaseRule) {
    const { clock, wheel, limits, random } = options
    this.#backend = backend
    this.#driver = driver
    this.#options = options
    this.#rule = rule
    this.#slots = new Slots(wheel, limits.maxPerBackend)
    const failures = limits.breakerFailures ?? BREAKER_FAILURES
    this.#breaker = new Breaker(clock, failures, limits.breakerMs ?? BREAKER_MS, random ?? Math.random)
    this.#resources = createResourcePool({
      max: limits.maxPerBackend,
      create: () => this.#open(),
      usable: (resource) => this.#takeDown(resource),
    })
  }

  get stats(): PoolStats {
    return {
      backend: this.#backend.id,
      lent: this.#slots.taken,
      idle: this.#idle.size,
      waiting: this.#slots.waiting,
      breaker: this.#breaker.state,
    }
  }

  /** Holds nothing that would be missed. */
  get quiet(): boolean {
    return this.#slots.taken === 0 && this.#idle.size === 0 && this.#breaker.quiet
  }

  acquire(signal: Cancellation): Promise<Acquired> {
    const kept = this.#closed || signal.aborted ? undefined : this.#takeKept()
    return kept === undefined ? this.#acquire(signal) : Promise.resolve(this.#lend(kept))
  }

  /** The way of most requests of a busy backend: something is on the shelf, and there is a place. */
  #takeKept(): Connection | undefined {
    if (this.#idle.size === 0 || !this.#slots.takeFree()) return undefined
    const kept = this.#resources.take()
    if (kept !== undefined && !('error' in kept)) return kept
    this.#slots.free()
    return undefined
  }

  #lend(connection: Connection): Acquired {
    return { kind: 'lease', lease: new ConnectionLease(this.#backend, connection, this) }
  }

  async #acquire(signal: Cancellation): Promise<Acquired> {
    const slot = await this.#slots.take(this.#options.limits.acquireMs, signal)
    if (slot !== 'taken') return this.#failed(slot)
    for (;;) {
      if (this.#closed || signal.aborted) {
        this.#slots.free()
        return this.#failed('cancelled')
      }
      const resource = this.#resources.take() ?? (await this.#borrow(signal))
      if (resource === undefined) return this.#failed('cancelled')
      if (!('error' in resource)) return this.#lend(resource)
      this.#resources.remove(resource)
      // Its opening was given up by somebody else, whose place in the queue came before ours.
      if (resource.error.code === 'cancelled' && !this.#closed) continue
      this.#slots.free()
      return { kind: 'failed', error: resource.error }
    }
  }

  takeBack(connection: Connection, used: boolean): Promise<void> {
    const again = this.#rule(this.#driver, connection, used, this.#options.limits.connectMs)
    if (typeof again !== 'boolean') return again.then((granted) => this.#keep(connection, used, granted))
    this.#keep(connection, used, again)
    return Promise.resolve()
  }

  #keep(connection: Connection, used: boolean, again: boolean): void {
    const room = this.#slots.waiting > 0 || this.#idle.size < (this.#options.limits.maxIdle ?? MAX_IDLE)
    if (!again || !room || this.#closed) {
      this.close(connection)
      return
    }
    connection.served ||= used
    this.#putUp(connection)
  }

  close(connection: Connection): void {
    connection.leg.destroy()
    this.#resources.remove(connection)
    this.#slots.free()
  }

  /** Lends nothing any more. What is lent stays with its borrowers. */
  shut(): void {
    this.#closed = true
    for (const opening of this.#opening) opening.abort('draining')
    for (const connection of this.#idle.keys()) connection.leg.destroy()
    this.#idle.clear()
  }

  /** `create` of the resource pool: never rejects, and answers at once when the breaker is open or nobody hopes for it. */
  async #open(): Promise<Connection | Dud> {
    if (this.#hoping <= this.#opening.size) return { error: this.#error('cancelled') }
    if (!this.#breaker.admit()) return { error: this.#error('breaker-open') }
    const opening = new CancellationSource()
    this.#opening.add(opening)
    const opened = await openConnection(this.#backend, this.#driver, this.#options, opening)
    this.#opening.delete(opening)
    const error = 'error' in opened ? opened.error : undefined
    const before = this.#breaker.state
    this.#breaker.settle(error)
    this.#tell(before, error)
    return opened
  }

  #tell(before: PoolStats['breaker'], error: BackendError | undefined): void {
    const after = this.#breaker.state
    if (before === after) return
    const facts = { backend: this.#backend.id, breaker: after, ...(error === undefined ? {} : { code: error.code }) }
    if (after === 'open') this.#options.log.warn('backend cannot be reached', facts)
    else if (after === 'closed') this.#options.log.info('backend can be reached again', facts)
  }

  /** One resource, or undefined when the signal fired first: what comes then goes back, or is closed. */
  #borrow(signal: Cancellation): Promise<Connection | Dud | undefined> {
    return new Promise((resolve) => {
      let hoping = true
      this.#hoping += 1
      const leave = (outcome: Connection | Dud | undefined) => {
        hoping = false
        this.#hoping -= 1
        signal.onAbort = undefined
        resolve(outcome)
      }
      void this.#resources.acquire().then((resource) => (hoping ? leave(resource) : this.#unwanted(resource)))
      signal.onAbort = () => {
        leave(undefined)
        this.#giveUpSurplus()
      }
    })
  }

  /** Nobody waits for as many as are being opened: stop the youngest. */
  #giveUpSurplus(): void {
    const surplus = this.#opening.size - this.#hoping
    if (surplus <= 0) return
    for (const opening of [...this.#opening].slice(-surplus)) {
      this.#opening.delete(opening)
      opening.abort('closed')
    }
  }

  #unwanted(resource: Connection | Dud): void {
    if ('error' in resource) {
      this.#resources.remove(resource)
      this.#slots.free()
    } else if (this.#closed || !isClean(resource)) this.close(resource)
    else this.#putUp(resource)
  }

  #putUp(connection: Connection): void {
    const takeDown = watchIdle(connection, this.#options.limits.idleMs ?? IDLE_MS, () => {
      this.#idle.delete(connection)
      this.#resources.forget(connection)
    })
    this.#idle.set(connection, takeDown)
    this.#resources.release(connection)
    this.#slots.free()
  }

  /** Whether a resource can be lent: one that has just been opened, or one that comes off the shelf alive. */
  #takeDown(resource: Connection | Dud): boolean {
    if ('error' in resource) return true
    const takeDown = this.#idle.get(resource)
    // Just opened; or it died on the shelf.
    if (takeDown === undefined) return resource.leg.state !== 'closed'
    this.#idle.delete(resource)
    takeDown()
    if (isClean(resource)) return true
    resource.leg.destroy()
    return false
  }

  #failed(code: BackendErrorCode): Acquired {
    return { kind: 'failed', error: this.#error(code) }
  }

  #error(code: BackendErrorCode): BackendError {
    return new BackendError({ code, backend: this.#backend.id, phase: 'acquire' })
  }
}

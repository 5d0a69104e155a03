// SPDX-License-Identifier: MIT
import { type Backend, type BackendErrorCode, type Cancellation, NEVER } from '@portico/base'
import type { Acquired, BackendDriver, Lease, LoanRequest, PoolStats } from './backend-pool.js'
import type { Connection, Dud } from './connection.js'
import { watchIdle } from './idle-watch.js'
import { Keeping } from './keeping.js'
import { ConnectionLease, type Lender } from './lease.js'
import { isClean, type LeaseRule } from './lease-rule.js'
import { Opener } from './opener.js'
import type { BackendPoolOptions } from './options.js'
import type { Places } from './places.js'
import { createResourcePool, type ResourcePool } from './resource-pool.js'
import { Warmth } from './warmth.js'

/** How long a connection that has served rests, and one that has served nobody, below what mail servers allow for signing in. */
const IDLE_MS = 60_000
const WARM_MS = 40_000
const MAX_IDLE = 16
/** A server that ends a resting connection sooner does not want any. */
const EARLY_MS = 5_000

/** All connections to one backend, where any of them will do for anybody. */
export class Shelf implements Lender {
  readonly #backend: Backend
  readonly #driver: BackendDriver
  readonly #options: BackendPoolOptions
  readonly #rule: LeaseRule
  readonly #resources: ResourcePool<Connection | Dud>
  readonly #places: Places
  readonly #opener: Opener
  readonly #warmth: Warmth | undefined
  readonly #keeping: Keeping
  /** Unlent connections that live, each with how to take it from the shelf. */
  readonly #idle = new Map<Connection, () => void>()
  /** Who waits for a connection to open, and has not given up. */
  #hoping = 0
  /** Those of them who take one that comes back as gladly. */
  readonly #glad = new Set<(connection: Connection) => void>()
  #cool = false
  #closed = false

  constructor(backend: Backend, driver: BackendDriver, options: BackendPoolOptions, places: Places, rule: LeaseRule) {
    this.#backend = backend
    this.#driver = driver
    this.#options = options
    this.#rule = rule
    this.#places = places
    this.#keeping = new Keeping(options.clock)
    this.#opener = new Opener(backend, driver, options)
    this.#warmth = this.#warmthOf(backend.pool?.warm ?? 0)
    this.#resources = createResourcePool({
      max: backend.pool?.endpointConnections ?? options.limits.maxPerBackend,
      create: () => this.#open(),
      usable: (resource) => this.#takeDown(resource),
    })
  }

  get stats(): PoolStats {
    return {
      backend: this.#backend.id,
      lent: this.#places.taken,
      idle: this.#idle.size,
      waiting: this.#places.waiting,
      breaker: this.#opener.state,
    }
  }

  /** Holds nothing that would be missed. */
  get quiet(): boolean {
    return this.#places.taken === 0 && this.#idle.size === 0 && this.#opener.quiet
  }

  acquire(signal: Cancellation, request: LoanRequest): Promise<Acquired> {
    const kept = signal.aborted || request.fresh === true ? undefined : this.take()
    if (kept !== undefined) return Promise.resolve({ kind: 'lease', lease: kept })
    this.#warmth?.used()
    return this.#acquire(signal, request)
  }

  /** The way of most requests of a busy backend: something is on the shelf, and there is a place. */
  take(): Lease | undefined {
    const kept = this.#closed ? undefined : this.#takeKept()
    if (kept === undefined) return undefined
    this.#warmth?.used()
    return new ConnectionLease(this.#backend, kept, this)
  }

  #takeKept(): Connection | undefined {
    if (this.#idle.size === 0 || !this.#places.takeFree()) return undefined
    const kept = this.#resources.take()
    if (kept !== undefined && !('error' in kept)) return kept
    this.#places.free()
    return undefined
  }

  #lend(connection: Connection): Acquired {
    return { kind: 'lease', lease: new ConnectionLease(this.#backend, connection, this) }
  }

  async #acquire(signal: Cancellation, { wait, fresh, borrower }: LoanRequest): Promise<Acquired> {
    const waitMs = this.#backend.pool?.waitMs ?? this.#options.limits.acquireMs
    const place = await this.#places.take(wait === false ? 0 : waitMs, signal)
    if (place !== 'taken') return this.#failed(place)
    for (;;) {
      if (this.#closed || signal.aborted) {
        this.#places.free()
        return this.#failed('cancelled')
      }
      const kept = fresh === true ? undefined : this.#resources.take()
      const resource = kept ?? (await this.#borrow(signal, fresh !== true))
      if (resource === undefined) return this.#failed('cancelled')
      if (!('error' in resource)) return this.#lend(resource)
      this.#resources.remove(resource)
      // Its opening was given up by somebody else, whose place in the queue came before ours.
      if (resource.error.code === 'cancelled' && !this.#closed) continue
      this.#places.free()
      this.#opener.seen(resource.error, borrower)
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
    const wanted = this.#places.waiting > 0 || this.#glad.size > 0
    const room = wanted || this.#idle.size < (this.#options.limits.maxIdle ?? MAX_IDLE)
    connection.served ||= used
    if (again && room && (!connection.served || this.#keeping.worthwhile)) this.#putUp(connection)
    else {
      if (again) this.#part(connection)
      this.close(connection)
    }
  }

  close(connection: Connection): void {
    connection.leg.destroy()
    this.#resources.remove(connection)
    this.#places.free()
  }

  /** Closes what rests; from now on nothing does that has served nobody. */
  cool(): void {
    this.#cool = true
    this.#warmth?.stop()
    for (const connection of [...this.#idle.keys()]) this.#evict(connection)
  }

  /** Lends nothing any more. What is lent stays with its borrowers. */
  shut(): void {
    this.#closed = true
    this.#warmth?.stop()
    this.#opener.shut()
    for (const connection of this.#idle.keys()) this.#part(connection)
    this.#idle.clear()
  }

  /** `create` of the resource pool: never rejects, and answers at once when nobody hopes for one more. */
  async #open(): Promise<Connection | Dud> {
    if (this.#hoping <= this.#opener.opening) return { error: this.#opener.error('cancelled') }
    return this.#opener.open()
  }

  /** One resource, or undefined when the signal fired first: what comes then goes back, or is closed. */
  #borrow(signal: Cancellation, glad: boolean): Promise<Connection | Dud | undefined> {
    this.#places.makeRoom()
    return new Promise((resolve) => {
      let hoping = true
      this.#hoping += 1
      const leave = (outcome: Connection | Dud | undefined) => {
        hoping = false
        this.#hoping -= 1
        this.#glad.delete(leave)
        signal.onAbort = undefined
        resolve(outcome)
      }
      if (glad) this.#glad.add(leave)
      void this.#resources.acquire().then((resource) => (hoping ? leave(resource) : this.#unwanted(resource)))
      signal.onAbort = () => {
        leave(undefined)
        // Nobody waits for as many as are being opened.
        this.#opener.giveUp(this.#opener.opening - this.#hoping)
      }
    })
  }

  #unwanted(resource: Connection | Dud): void {
    if ('error' in resource) {
      this.#resources.remove(resource)
      this.#places.free()
    } else this.#putUp(resource)
  }

  /** Gives a connection and its place to who hopes for one, else puts it on the shelf, where it is watched. */
  #putUp(connection: Connection): void {
    const restMs = this.#restOf(connection)
    if (this.#closed || restMs <= 0 || !isClean(connection)) {
      this.#part(connection)
      this.close(connection)
      return
    }
    connection.rested = true
    const [waiter] = this.#glad
    if (waiter === undefined) this.#rest(connection, restMs)
    else waiter(connection)
  }

  #rest(connection: Connection, restMs: number): void {
    const since = this.#options.clock.now()
    const gone = () => {
      if (!this.#idle.has(connection)) return
      this.#leaves(connection)
      this.#resources.forget(connection)
      const restedMs = this.#options.clock.now() - since
      if (connection.served) this.#keeping.ended(restedMs, restMs)
      if (restedMs < Math.min(EARLY_MS, restMs / 2)) this.#warmth?.failed()
      else this.#warmth?.proved()
    }
    const over = () => this.#part(connection)
    const takeDown = watchIdle(connection, { wheel: this.#options.wheel, ms: restMs, over, gone })
    this.#idle.set(connection, takeDown)
    this.#places.rest(connection, () => this.#evict(connection))
    this.#resources.release(connection)
    this.#places.free()
  }

  /** The age of who has served nobody counts from its opening: its server counts as well. Spread, so that not all end at once. */
  #restOf({ served, openedAt, longestRest }: Connection): number {
    const { clock, limits, random = Math.random } = this.#options
    if (served) return Math.min(limits.idleMs ?? IDLE_MS, longestRest)
    if (this.#cool) return 0
    const lifeMs = (this.#backend.pool?.warmMs ?? WARM_MS) * (0.75 + random() / 4)
    return openedAt + lifeMs - clock.now()
  }

  /** Whether a resource can be lent: one that has just been opened, or one that comes off the shelf alive. */
  #takeDown(resource: Connection | Dud): boolean {
    if ('error' in resource) return true
    const takeDown = this.#idle.get(resource)
    // Just opened; or it died on the shelf.
    if (takeDown === undefined) return resource.leg.state !== 'closed'
    this.#leaves(resource)
    takeDown()
    this.#warmth?.proved()
    if (isClean(resource)) return true
    resource.leg.destroy()
    return false
  }

  #evict(connection: Connection): void {
    this.#idle.get(connection)?.()
    this.#leaves(connection)
    this.#part(connection)
    this.#resources.forget(connection)
  }

  /** Ends a connection that nothing is under way on. */
  #part({ leg }: Connection): void {
    const { goodbye } = this.#driver
    if (goodbye !== undefined && leg.state === 'open') leg.writeText(goodbye)
    leg.destroy()
  }

  #leaves(connection: Connection): void {
    this.#idle.delete(connection)
    this.#places.wake(connection)
  }

  #warmthOf(target: number): Warmth | undefined {
    if (this.#driver.warm !== true || target === 0) return undefined
    const { clock, wheel, random = Math.random } = this.#options
    return new Warmth({ clock, wheel, random, target, ready: () => this.#idle.size, open: () => this.#warmUp() })
  }

  /** One connection more for the shelf, if nobody has to give way for it and the backend is well. */
  async #warmUp(): Promise<boolean> {
    if (this.#closed || this.#opener.state !== 'closed' || this.#places.full || !this.#places.takeFree()) return false
    const resource = await this.#borrow(NEVER, false)
    if (resource === undefined || 'error' in resource) {
      if (resource !== undefined) {
        this.#resources.remove(resource)
        this.#opener.seen(resource.error, undefined)
      }
      this.#places.free()
      return false
    }
    this.#putUp(resource)
    return this.#idle.has(resource)
  }

  #failed(code: BackendErrorCode): Acquired {
    return { kind: 'failed', error: this.#opener.error(code) }
  }
}

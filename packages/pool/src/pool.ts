// SPDX-License-Identifier: MIT
import { type Backend, BackendError, type ProtocolName } from '@portico/base'
import type { BackendDriver, BackendPool } from './backend-pool.js'
import { BoundShelf } from './bound-shelf.js'
import { type LeaseRule, leaseRule } from './lease-rule.js'
import type { BackendPoolOptions } from './options.js'
import { Places, Quota } from './places.js'
import { Shelf } from './shelf.js'

/** Trusted lookups may name any number of endpoints: beyond so many, those that nobody uses are forgotten. */
const MANY = 1_024

const UNBOUNDED = Number.MAX_SAFE_INTEGER

/** Pools for all backends. Disposal closes what is idle and stops lending; what is lent stays with its borrowers. */
export function createBackendPool(options: BackendPoolOptions): BackendPool {
  return createPoolWithRule(options, leaseRule)
}

/** The pool with its lease rule as a part, so that a test can show what the rule is for. */
export function createPoolWithRule(options: BackendPoolOptions, rule: LeaseRule): BackendPool {
  const drivers = new Map<ProtocolName, BackendDriver>()
  const shelves = new Map<string, Shelf | BoundShelf>()
  const groups = new Map<string, Quota>()
  let cool = false
  let closed = false
  const shelfOf = (backend: Backend, driver: BackendDriver): Shelf | BoundShelf => {
    const known = shelves.get(backend.id)
    if (known !== undefined) return known
    if (shelves.size >= MANY) forgetQuiet(shelves)
    const places = placesOf(backend, options, groups)
    const shelf =
      backend.proxyProtocol === undefined
        ? new Shelf(backend, driver, options, places, rule)
        : new BoundShelf(backend, driver, options, places)
    if (cool) shelf.cool()
    shelves.set(backend.id, shelf)
    return shelf
  }
  return {
    register(driver) {
      if (drivers.has(driver.protocol)) throw new Error(`a driver for ${driver.protocol} is already registered`)
      drivers.set(driver.protocol, driver as BackendDriver)
    },
    acquire(backend, signal, request = {}) {
      const driver = drivers.get(backend.protocol)
      if (driver === undefined) throw new Error(`no driver is registered for ${backend.protocol}`)
      if (closed) {
        const error = new BackendError({ code: 'cancelled', backend: backend.id, phase: 'acquire' })
        return Promise.resolve({ kind: 'failed', error })
      }
      return shelfOf(backend, driver).acquire(signal, request)
    },
    // Whose shelf is not there yet has nothing on it.
    take: (backend) => (closed ? undefined : shelves.get(backend.id)?.take()),
    stats: () => [...shelves.values()].map((shelf) => shelf.stats),
    cool() {
      cool = true
      for (const shelf of shelves.values()) shelf.cool()
    },
    async [Symbol.asyncDispose]() {
      closed = true
      for (const shelf of shelves.values()) shelf.shut()
    },
  }
}

function placesOf(backend: Backend, { clock, wheel, limits }: BackendPoolOptions, groups: Map<string, Quota>): Places {
  const { endpointConnections = limits.maxPerBackend, groupConnections, queue = UNBOUNDED } = backend.pool ?? {}
  const own = new Quota(wheel, endpointConnections, queue)
  if (groupConnections === undefined) return new Places(clock, own, undefined)
  const name = `${backend.group}/${backend.protocol}`
  const group = groups.get(name) ?? new Quota(wheel, groupConnections, UNBOUNDED)
  groups.set(name, group)
  return new Places(clock, own, group)
}

function forgetQuiet(shelves: Map<string, Shelf | BoundShelf>): void {
  for (const [id, shelf] of shelves) {
    if (!shelf.quiet) continue
    shelf.shut()
    shelves.delete(id)
  }
}

// SPDX-License-Identifier: MIT
import { BackendError, type ProtocolName } from '@portico/base'
import type { BackendDriver, BackendPool } from './backend-pool.js'
import { type LeaseRule, leaseRule } from './lease-rule.js'
import type { BackendPoolOptions } from './options.js'
import { Shelf } from './shelf.js'

/** Trusted lookups may name any number of endpoints: beyond so many, those that nobody uses are forgotten. */
const MANY = 1_024

/** Pools for all backends. Disposal closes what is idle and stops lending; what is lent stays with its borrowers. */
export function createBackendPool(options: BackendPoolOptions): BackendPool {
  return createPoolWithRule(options, leaseRule)
}

/** The pool with its lease rule as a part, so that a test can show what the rule is for. */
export function createPoolWithRule(options: BackendPoolOptions, rule: LeaseRule): BackendPool {
  const drivers = new Map<ProtocolName, BackendDriver>()
  const shelves = new Map<string, Shelf>()
  let closed = false
  return {
    register(driver) {
      if (drivers.has(driver.protocol)) throw new Error(`a driver for ${driver.protocol} is already registered`)
      drivers.set(driver.protocol, driver as BackendDriver)
    },
    acquire(backend, signal) {
      const driver = drivers.get(backend.protocol)
      if (driver === undefined) throw new Error(`no driver is registered for ${backend.protocol}`)
      if (closed) {
        const error = new BackendError({ code: 'cancelled', backend: backend.id, phase: 'acquire' })
        return Promise.resolve({ kind: 'failed', error })
      }
      let shelf = shelves.get(backend.id)
      if (shelf === undefined) {
        if (shelves.size >= MANY) forgetQuiet(shelves)
        shelf = new Shelf(backend, driver, options, rule)
        shelves.set(backend.id, shelf)
      }
      return shelf.acquire(signal)
    },
    stats: () => [...shelves.values()].map((shelf) => shelf.stats),
    async [Symbol.asyncDispose]() {
      closed = true
      for (const shelf of shelves.values()) shelf.shut()
    },
  }
}

function forgetQuiet(shelves: Map<string, Shelf>): void {
  for (const [id, shelf] of shelves) if (shelf.quiet) shelves.delete(id)
}

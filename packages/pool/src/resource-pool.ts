// SPDX-License-Identifier: MIT
// The one file that knows generic-pool. Its `create` never rejects: a rejection would make it try again at once and for ever, and
// the waiter would learn nothing but a timeout. It is never asked for more than `max` at a time, so nobody waits inside it, and
// its timers stay off. Nothing is ever given back to it to keep, so that each of its creations belongs to one who asked for it and
// none comes to rest inside it, where nobody would watch it.
import { createPool } from 'generic-pool'

export interface ResourcePool<T> {
  /** As acquire, where nobody has to wait: undefined when nothing is on the shelf. */
  take(): T | undefined
  /** A new one; who asked first gets what is ready first. */
  acquire(): Promise<T>
  /** Back on the shelf. */
  release(resource: T): void
  /** Out of the pool; the caller has closed it. */
  remove(resource: T): void
  /** It died on the shelf. */
  forget(resource: T): void
}

/** `create` must not reject. The resource that came back last is lent first. */
export function createResourcePool<T>(options: {
  readonly max: number
  readonly create: () => Promise<T>
  readonly usable: (resource: T) => boolean
}): ResourcePool<T> {
  const pool = createPool<T>(
    {
      create: options.create,
      destroy: async () => undefined,
      validate: async (resource) => options.usable(resource),
    },
    { max: options.max, min: 0, testOnBorrow: true, fifo: false, autostart: false, evictionRunIntervalMillis: 0 },
  )
  // What nobody waits for stays lent in the eyes of the pool: a loan of its own costs as much as a small request.
  const shelf: T[] = []
  return {
    take() {
      for (let resource = shelf.pop(); resource !== undefined; resource = shelf.pop()) {
        if (options.usable(resource)) return resource
        void pool.destroy(resource)
      }
      return undefined
    },
    acquire: async () => pool.acquire(),
    release: (resource) => void shelf.push(resource),
    remove: (resource) => void pool.destroy(resource),
    forget(resource) {
      const at = shelf.indexOf(resource)
      if (at < 0) return
      shelf.splice(at, 1)
      void pool.destroy(resource)
    },
  }
}

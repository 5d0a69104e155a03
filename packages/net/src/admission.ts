// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { parseV6 } from './ipv6-text.js'

/** Read at every connection: a reload may change them. */
export interface AdmissionLimits {
  readonly maxConnections: number
  readonly maxPerAddress: number
}

/** Counts the connections of a listener, all together and by address. */
export class Admission {
  total = 0
  readonly #limits: AdmissionLimits
  readonly #byAddress = new Map<string, number>()

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** Counts a connection; false when there are too many. Every call is paired with one of {@link leave}. */
  enter(): boolean {
    this.total += 1
    return this.total <= this.#limits.maxConnections
  }

  leave(): void {
    this.total -= 1
  }

  /** Counts a connection for its client's address: the key to leave with, undefined when it has too many. */
  enterAddress(address: string): string | undefined {
    const key = addressKey(address)
    const count = this.#byAddress.get(key) ?? 0
    if (count >= this.#limits.maxPerAddress) return undefined
    this.#byAddress.set(key, count + 1)
    return key
  }

  leaveAddress(key: string): void {
    const count = this.#byAddress.get(key) ?? 0
    if (count > 1) this.#byAddress.set(key, count - 1)
    else this.#byAddress.delete(key)
  }
}

/** What counts as one client; all Unix sockets are one. */
export function clientKey(peer: Endpoint): string {
  return peer.family === 'unix' ? 'unix' : addressKey(peer.address)
}

/** An IPv4 address, or the /64 of an IPv6 address: a host may pick any address of its own /64 (RFC 4291 section 2.5.1). */
export function addressKey(address: string): string {
  return address.includes(':') ? `${parseV6(address).toString('hex', 0, 8)}/64` : address
}

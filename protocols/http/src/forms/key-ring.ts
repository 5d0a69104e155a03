// SPDX-License-Identifier: MIT
import { createHash, hkdfSync } from 'node:crypto'

/** What a key is for; keys of different purposes have nothing to do with each other. */
export type Purpose = 'public' | 'private' | 'page'

/** A secret that keys come from. It lives as long as the process knows it, its keys as long as their epoch is of use. */
export class RootSecret {
  /** Tells secrets apart, and nothing about them: 4 octets. */
  readonly id: Buffer
  readonly #secret: Uint8Array
  readonly #keys = new Map<string, Buffer>()

  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.id = Buffer.from(hkdfSync('sha256', secret, '', 'portico forms id', 4))
  }

  /** The key of an epoch (RFC 5869). */
  key(purpose: Purpose, epoch: number): Buffer {
    const name = `${purpose} ${epoch}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const made = Buffer.from(hkdfSync('sha256', this.#secret, '', `portico forms ${name}`, 32))
    if (this.#keys.size >= KEPT_KEYS) this.#keys.clear()
    this.#keys.set(name, made)
    return made
  }
}

/** Three epochs of three purposes are in use at a time; more only while they change. */
const KEPT_KEYS = 32

/** Where the secrets come from. */
export interface KeyRing {
  /** The secret that seals what is made at this time, in milliseconds since the epoch. */
  sealing(at: number): Promise<RootSecret | 'unavailable'>
  /** The secret with this id, for what was made at this time; undefined: nobody has it any more. */
  opening(id: Uint8Array, at: number): Promise<RootSecret | undefined | 'unavailable'>
}

/** The ring that the site has written down: the first seals, all of them open. */
export function configuredRing(secrets: readonly [string, ...string[]]): KeyRing {
  const [first, ...others] = secrets.map((text) => new RootSecret(createHash('sha256').update(text).digest()))
  if (first === undefined) throw new RangeError('a ring has a key')
  const roots = [first, ...others]
  return {
    sealing: async () => first,
    opening: async (id) => roots.find((root) => root.id.equals(id)),
  }
}

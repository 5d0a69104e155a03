// SPDX-License-Identifier: MIT

/** What all spooled messages of a configuration may take together in one process, in octets. */
export interface SpoolLimits {
  readonly memory: number
  readonly disk: number
}

const DEFAULT_MEMORY = 64 * 1024 * 1024
const DEFAULT_DISK = 1024 * 1024 * 1024

/** Keeps account of the octets that spooled messages hold. Whoever does not get room has to refuse its message for now. */
export class SpoolBudget {
  readonly #limits: SpoolLimits
  #memory = 0
  #disk = 0

  constructor(limits: Partial<SpoolLimits> = {}) {
    this.#limits = { memory: limits.memory ?? DEFAULT_MEMORY, disk: limits.disk ?? DEFAULT_DISK }
  }

  /** Octets held at the moment. */
  get held(): SpoolLimits {
    return { memory: this.#memory, disk: this.#disk }
  }

  /** More than half of the memory is taken: messages should go to disk early. */
  get tight(): boolean {
    return this.#memory > this.#limits.memory / 2
  }

  /** False: there is no room, and nothing was taken. */
  take(kind: keyof SpoolLimits, octets: number): boolean {
    if (this.held[kind] + octets > this.#limits[kind]) return false
    this.#add(kind, octets)
    return true
  }

  giveBack(kind: keyof SpoolLimits, octets: number): void {
    this.#add(kind, -octets)
  }

  #add(kind: keyof SpoolLimits, octets: number): void {
    if (kind === 'memory') this.#memory += octets
    else this.#disk += octets
  }
}

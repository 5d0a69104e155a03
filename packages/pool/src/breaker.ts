// SPDX-License-Identifier: MIT
import type { BackendError, BackendPhase, Clock } from '@portico/base'

/** The breaker stays open no longer than this at a time, and failures that lie further apart are not one trouble. */
const LONGEST_MS = 60_000

/** When a breaker opens, and for how long. */
export interface BreakerRule {
  /** Failures in a row. */
  readonly failures: number
  /** Different clients that must have seen them. */
  readonly clients: number
  /** How long it stays open at first, give or take a half. */
  readonly firstMs: number
  /**
   * The backend is told whose connection it is before it says anything: what it then answers, or that it closes, is about that
   * client and not about the backend.
   */
  readonly knowsClient?: boolean
}

/**
 * Passive breaker of one backend. Opens after so many failures to connect in a row that several clients have seen, so that no
 * single client can close a backend to the others; then it lets one attempt at a time through, after a time that is spread at
 * random, so that a fleet does not come back in one moment. Only what the backend does to everybody counts: a refused user never
 * opens it.
 */
export class Breaker {
  readonly #clock: Clock
  readonly #rule: BreakerRule
  readonly #random: () => number
  readonly #clients = new Set<string>()
  #failures = 0
  #failedAt = 0
  /** 0: it is closed. */
  #openMs = 0
  #reopens = 0
  #trial = false

  constructor(clock: Clock, rule: BreakerRule, random: () => number) {
    this.#clock = clock
    this.#rule = rule
    this.#random = random
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#openMs === 0) return 'closed'
    return this.#clock.now() < this.#reopens ? 'open' : 'half-open'
  }

  /** Nothing is held against the backend. */
  get quiet(): boolean {
    return this.#failures === 0 && this.#openMs === 0
  }

  /** May a connection be tried now? True must be followed by exactly one `settle`. */
  admit(): boolean {
    const { state } = this
    if (state === 'closed') return true
    if (state === 'open' || this.#trial) return false
    this.#trial = true
    return true
  }

  /** How an admitted attempt went: without an error, or with one. A trial that failed opens it again, whoever made it. */
  settle(error: BackendError | undefined): void {
    this.#trial = false
    if (error === undefined || this.#isOfClient(error)) {
      this.#openMs = 0
      this.#forget()
    } else if (this.state === 'half-open' && this.#counts(error)) this.#open()
  }

  /** A client was given an error. Nobody is given one more than once. */
  seen(error: BackendError, client: string): void {
    if (this.#openMs !== 0 || !this.#counts(error)) return
    const now = this.#clock.now()
    if (now - this.#failedAt > LONGEST_MS) this.#forget()
    this.#failedAt = now
    this.#failures += 1
    if (this.#clients.size < this.#rule.clients) this.#clients.add(client)
    if (this.#failures >= this.#rule.failures && this.#clients.size >= this.#rule.clients) this.#open()
  }

  #counts(error: BackendError): boolean {
    const { phase, code } = error
    return !this.#isOfClient(error) && COUNTED.has(phase) && code !== 'cancelled' && code !== 'cleartext-forbidden'
  }

  /** What a backend that can be reached has against one client. */
  #isOfClient({ phase, code }: BackendError): boolean {
    if (this.#rule.knowsClient !== true || code === 'timed-out' || code === 'cancelled') return false
    return phase === 'tls' || phase === 'greeting'
  }

  #forget(): void {
    this.#failures = 0
    this.#clients.clear()
  }

  #open(): void {
    this.#openMs = this.#openMs === 0 ? this.#rule.firstMs : Math.min(this.#openMs * 2, LONGEST_MS)
    this.#reopens = this.#clock.now() + this.#openMs * (0.5 + this.#random())
    this.#forget()
  }
}

const COUNTED: ReadonlySet<BackendPhase> = new Set(['connect', 'tls', 'greeting'])

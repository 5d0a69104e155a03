// SPDX-License-Identifier: MIT
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Clock, NEVER, systemClock } from '@portico/base'
import { type Claimant, Lane } from './lane.js'

/** What a thread computes: the characters after the last `$` of a text of crypt(3). `rounds` is not looked at for `md5`. */
export interface CryptJob {
  readonly algorithm: 'md5' | 'sha256' | 'sha512'
  readonly password: string
  readonly salt: string
  readonly rounds: number
}

/**
 * Computes off the thread that serves sessions. A result is `undefined` when too much waits already or for too long, nobody wants
 * it any more, the thread died or all is closed: nothing is known then, least of all that a password is wrong. Never rejects for
 * those reasons.
 */
export interface Hashing {
  /** What is written in JavaScript, on threads of our own. */
  crypt(job: CryptJob): Promise<string | undefined>
  /**
   * What libuv's thread pool computes. Only half of the pool at a time: name resolution and files wait for the same threads.
   * Rejects when `compute` does.
   */
  native<T>(compute: () => Promise<T>): Promise<T | undefined>
}

/** Where passwords are hashed; what is asked of it directly is asked in nobody's name. */
export interface HashThreads extends Hashing, AsyncDisposable {
  /** The same in somebody's name: turns go round among the names, and what waits is given up when its signal is aborted. */
  onBehalfOf(claimant: Claimant): Hashing
}

export interface HashThreadsOptions {
  /** Threads of our own, at most; one for each processor, but not more than four, when absent. */
  readonly threads?: number
  /** So many computations may wait, for each of the two kinds. */
  readonly queue?: number
  /** Starts a thread; {@link startHashThread} when absent. */
  readonly start?: () => Worker
  readonly clock?: Clock
}

/** A few seconds of work: who comes later is better told to come again. */
const QUEUE = 256
const MOST_THREADS = 4
const NATIVE = 2
const NOBODY: Claimant = { share: '', signal: NEVER }

/** Starts a thread that computes, without our environment and options. */
export function startHashThread(): Worker {
  return new Worker(new URL('./thread/main.js', import.meta.url), { name: 'portico-hash', env: {}, execArgv: [] })
}

/** Threads are started when there is work for them, and do not keep the process alive when there is none. */
export function createHashThreads(options: HashThreadsOptions = {}): HashThreads {
  return new Threads(options)
}

class Threads implements HashThreads {
  readonly #start: () => Worker
  readonly #own: Lane
  readonly #native: Lane
  readonly #living = new Set<Worker>()
  readonly #idle: Worker[] = []
  /** What is told to who waits for a thread: its result, or `undefined` when it died. */
  readonly #busy = new Map<Worker, (text: string | undefined) => void>()
  #closed = false

  constructor({ threads, queue = QUEUE, start = startHashThread, clock = systemClock }: HashThreadsOptions) {
    this.#start = start
    this.#own = new Lane(threads ?? Math.min(availableParallelism(), MOST_THREADS), queue, clock)
    this.#native = new Lane(NATIVE, queue, clock)
  }

  crypt(job: CryptJob): Promise<string | undefined> {
    return this.onBehalfOf(NOBODY).crypt(job)
  }

  native<T>(compute: () => Promise<T>): Promise<T | undefined> {
    return this.onBehalfOf(NOBODY).native(compute)
  }

  onBehalfOf(claimant: Claimant): Hashing {
    const unlessClosed = async <T>(compute: () => Promise<T>) => (this.#closed ? undefined : compute())
    return {
      crypt: (job) => this.#own.run(() => unlessClosed(() => this.#compute(job)), claimant),
      native: (compute) => this.#native.run(() => unlessClosed(compute), claimant),
    }
  }

  #compute(job: CryptJob): Promise<string | undefined> {
    return new Promise((resolve) => {
      const worker = this.#idle.pop() ?? this.#started()
      if (worker === undefined) return resolve(undefined)
      this.#busy.set(worker, resolve)
      worker.ref()
      worker.postMessage(job)
    })
  }

  /** `undefined` when the system gives no thread. */
  #started(): Worker | undefined {
    try {
      const worker = this.#start()
      this.#living.add(worker)
      worker.on('message', (text: string) => {
        this.#idle.push(worker)
        worker.unref()
        this.#settle(worker, text)
      })
      // The thread's end follows.
      worker.on('error', () => undefined)
      worker.on('exit', () => {
        this.#living.delete(worker)
        const at = this.#idle.indexOf(worker)
        if (at >= 0) this.#idle.splice(at, 1)
        this.#settle(worker, undefined)
      })
      return worker
    } catch {
      return undefined
    }
  }

  #settle(worker: Worker, text: string | undefined): void {
    const settle = this.#busy.get(worker)
    this.#busy.delete(worker)
    settle?.(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#living].map((worker) => worker.terminate()))
  }
}

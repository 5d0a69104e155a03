// SPDX-License-Identifier: MIT
import cluster, { type Worker } from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { systemClock } from '@portico/base'
import type { BoundListener } from '@portico/frontend'
import { createMemoryStore, serveStore } from '@portico/state'
import type { Log, MetricValues } from '@portico/telemetry'
import { supervisorChannel } from './channel.js'
import { type Begin, isOurs, type Order, type Report } from './messages.js'

const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 10_000
/** A worker that lived so long did not die of its start. */
const HEALTHY_MS = 30_000

/**
 * A worker has one core, so helpers of its garbage collector only take turns with it; and what a session allocates lives for the
 * session or dies at once: a young generation that does not grow saves memory and finds the same garbage.
 */
const GC = ['--no-parallel-scavenge', '--max-semi-space-size=4']

export interface SupervisorOptions {
  readonly program: URL
  readonly workers: number
  readonly path: string
  readonly text: string
  readonly protocols: readonly string[]
  readonly log: Log
}

/** How the start of a worker ended. `failed`: it has said why, and others would say the same. */
type Start =
  | { readonly kind: 'ready'; readonly listeners: readonly BoundListener[] }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'died' }

/**
 * Keeps the workers. The listening sockets are bound in this process and accepted from in the workers (the cluster module without
 * its round robin), so that a worker can die and be replaced while its peers go on accepting. What the workers share is kept here.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #ticketKeys = randomBytes(48).toString('base64')
  readonly #store = createMemoryStore({ clock: systemClock })
  readonly #workers = new Set<Worker>()
  /** Workers that hear nothing yet but their beginning. */
  readonly #starting = new Set<Promise<unknown>>()
  #asking: Promise<unknown> = Promise.resolve()
  #text: string
  #backoff = FIRST_BACKOFF_MS
  /** A worker has been ready: from here on each that ends is replaced. */
  #serving = false
  #leaving = false
  #whenEmpty: (() => void) | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#text = options.text
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({ exec: options.program.pathname, args: [], execArgv: [...process.execArgv, ...GC] })
  }

  get pids(): readonly number[] {
    return [...this.#workers].flatMap(({ process: { pid } }) => (pid === undefined ? [] : [pid]))
  }

  /**
   * Resolves with the listeners when one worker serves and every other has had its start: who did not live through it is being
   * replaced. Rejects when the first says that it cannot serve, or as many as there should be died before one of them did.
   */
  async start(): Promise<readonly BoundListener[]> {
    const { workers } = this.#options
    let first = await this.#fork()
    for (let tries = 1; first.kind === 'died' && tries < workers; tries += 1) first = await this.#fork()
    if (first.kind === 'died') throw new Error('every worker died before it was ready')
    if (first.kind === 'failed') throw new Error(first.why)
    this.#serving = true
    for (let count = 1; count < workers; count += 1) await this.#fork()
    return first.listeners
  }

  /** Hands a configuration that was found good to every worker. Rejects, naming the reason, when one cannot use it. */
  reload(text: string): Promise<readonly BoundListener[]> {
    return this.#inTurn(() => this.#reload(text))
  }

  /** What each worker has counted; one that dies meanwhile has counted nothing. */
  metrics(): Promise<readonly MetricValues[]> {
    return this.#inTurn(async () => {
      while (this.#starting.size > 0) await Promise.allSettled(this.#starting)
      const answers = await Promise.all([...this.#workers].map((worker) => ask(worker, { portico: 'metrics' })))
      return answers.flatMap((answer) => (answer?.portico === 'counted' ? [answer.values] : []))
    })
  }

  /** One after another: a worker's report does not say which order it answers. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#asking.then(run)
    this.#asking = next.catch(() => undefined)
    return next
  }

  async #reload(text: string): Promise<readonly BoundListener[]> {
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting)
    const former = this.#text
    this.#text = text
    const workers = [...this.#workers]
    const answers = await Promise.all(workers.map((worker) => ask(worker, { portico: 'reload', text })))
    const refused = answers.find((answer) => answer?.portico === 'refused')
    if (refused?.portico === 'refused') {
      this.#text = former
      const behind = workers.filter((_, index) => answers[index]?.portico === 'reloaded')
      await Promise.all(behind.map((worker) => ask(worker, { portico: 'reload', text: former })))
      throw new Error(refused.why)
    }
    const done = answers.find((answer) => answer?.portico === 'reloaded')
    return done?.portico === 'reloaded' ? done.listeners : []
  }

  /** Lets all sessions finish, at most for the configured time. Resolves when every worker has gone. */
  drain(): Promise<void> {
    return this.#leave({ portico: 'drain' })
  }

  /** Ends all sessions now. */
  close(): Promise<void> {
    return this.#leave({ portico: 'close' })
  }

  async #leave(order: Order): Promise<void> {
    this.#leaving = true
    const former = this.#whenEmpty
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = () => {
        former?.()
        resolve()
      }
    })
    for (const worker of this.#workers) tell(worker, order)
    if (this.#workers.size > 0) await empty
    await this.#store[Symbol.asyncDispose]()
  }

  async #fork(): Promise<Start> {
    const started = this.#begin()
    this.#starting.add(started)
    try {
      return await started
    } finally {
      this.#starting.delete(started)
    }
  }

  async #begin(): Promise<Start> {
    const worker = cluster.fork()
    const began = systemClock.now()
    const served = serveStore(supervisorChannel(worker), this.#store)
    this.#workers.add(worker)
    worker.on('error', () => undefined)
    worker.on('exit', (code, signal) => {
      served[Symbol.dispose]()
      this.#workers.delete(worker)
      if (!this.#leaving) this.#mourn(worker, began, signal ?? code)
      else if (this.#workers.size === 0) this.#whenEmpty?.()
    })
    const here = await nextReport(worker)
    // An order to leave that came before the worker's program was loaded did not reach it.
    const answer = here === undefined || this.#leaving ? undefined : await ask(worker, this.#beginning())
    if (answer?.portico === 'ready') return { kind: 'ready', listeners: answer.listeners }
    worker.process.kill('SIGKILL')
    if (answer?.portico !== 'failed') return { kind: 'died' }
    if (this.#serving && !this.#leaving) this.#options.log.error('a worker cannot start', { why: answer.why })
    return { kind: 'failed', why: answer.why }
  }

  #beginning(): Begin {
    const { path, protocols } = this.#options
    return { portico: 'begin', path, text: this.#text, protocols, ticketKeys: this.#ticketKeys }
  }

  #mourn(worker: Worker, began: number, how: string | number): void {
    const facts = { worker: worker.process.pid, how }
    // Whether there will be another is for the start to say.
    if (!this.#serving) {
      this.#options.log.error('a worker died before it was ready', facts)
      return
    }
    if (systemClock.now() - began > HEALTHY_MS) this.#backoff = FIRST_BACKOFF_MS
    const backoff = this.#backoff
    this.#backoff = Math.min(backoff * 2, LAST_BACKOFF_MS)
    this.#options.log.error('a worker died and is replaced', { ...facts, afterMs: backoff })
    setTimeout(() => {
      if (!this.#leaving) void this.#replace()
    }, backoff)
  }

  async #replace(): Promise<void> {
    const { kind } = await this.#fork()
    if (kind === 'ready') this.#options.log.info('the worker is replaced', { workers: this.pids })
  }
}

function tell(worker: Worker, order: Order): void {
  if (worker.isConnected()) worker.send(order)
}

function ask(worker: Worker, order: Order): Promise<Report | undefined> {
  const answer = nextReport(worker)
  tell(worker, order)
  return answer
}

/** What the worker says next, or undefined when it died first. */
function nextReport(worker: Worker): Promise<Report | undefined> {
  return new Promise((resolve) => {
    const settle = (report: Report | undefined) => {
      worker.removeListener('message', heard)
      worker.removeListener('exit', died)
      resolve(report)
    }
    const heard = (message: unknown) => {
      if (isOurs<Report>(message)) settle(message)
    }
    const died = () => settle(undefined)
    worker.on('message', heard)
    worker.on('exit', died)
  })
}

// SPDX-License-Identifier: MIT
import { setMaxListeners } from 'node:events'
import type { Cancellation, Clock } from '@portico/base'
import { askableName } from './dns-name.js'
import type { DnsAnswer, DnsResolver, DnsType } from './dns-resolver.js'
import type { Lookup } from './node-lookup.js'

export interface DeskOptions {
  readonly lookup: Lookup
  readonly clock: Clock
  /** Milliseconds for one answer. */
  readonly timeout: number
  /** Questions that are being looked up at a time. */
  readonly maxLookups: number
}

/** Questions that wait to be looked up: far more than sessions have when all is well; below 4 MiB. */
const MOST_WAITING = 4_096

type Answer = DnsAnswer<DnsType>

const NOT_A_NAME: Answer = { kind: 'absent', why: 'not-a-name' }
const BUSY: Answer = { kind: 'failed', why: 'busy' }
const CANCELLED: Answer = { kind: 'failed', why: 'cancelled' }
const TIMEOUT: Answer = { kind: 'failed', why: 'timeout' }

/** One question that has no answer yet, and those who wait for it. */
interface Question {
  readonly name: string
  readonly type: DnsType
  readonly waiting: Set<(answer: Answer) => void>
}

/**
 * Looks names up for many sessions: each question once at a time however many ask it, and only so many at a time. It remembers no
 * answers: the site's resolver does, for as long as each may be kept, and is as near as a cache of ours is useful.
 */
export class QuestionDesk implements DnsResolver {
  readonly #options: DeskOptions
  readonly #open = new Map<string, Question>()
  /** Those of the open ones that have not been looked up yet, in their order. */
  readonly #queue = new Set<Question>()
  #lookups = 0

  constructor(options: DeskOptions) {
    this.#options = options
  }

  ask<T extends DnsType>(name: string, type: T, signal: Cancellation): Promise<DnsAnswer<T>> {
    // A question has one type from here on, and its answer is of that type.
    return this.#ask(name, type, signal) as Promise<DnsAnswer<T>>
  }

  async #ask(text: string, type: DnsType, signal: Cancellation): Promise<Answer> {
    const name = askableName(text)
    if (name === undefined) return NOT_A_NAME
    if (signal.aborted) return CANCELLED
    const key = `${type} ${name}`
    const { clock, timeout } = this.#options
    const until = clock.now() + timeout
    const asked = this.#open.get(key)
    const answer = await this.#join(asked ?? this.#put(key, name, type), signal, timeout)
    // What somebody else had asked before may fail long before our time is over: it is then asked anew.
    const left = until - clock.now()
    if (asked === undefined || !isForeignFailure(answer) || left <= 0) return answer
    return this.#join(this.#open.get(key) ?? this.#put(key, name, type), signal, left)
  }

  async #join(question: Question | undefined, signal: Cancellation, ms: number): Promise<Answer> {
    if (question === undefined) return BUSY
    return signal.aborted ? CANCELLED : this.#wait(question, signal.toAbortSignal(), ms)
  }

  #put(key: string, name: string, type: DnsType): Question | undefined {
    const question: Question = { name, type, waiting: new Set() }
    if (this.#lookups >= this.#options.maxLookups) {
      if (this.#queue.size >= MOST_WAITING) return undefined
      this.#queue.add(question)
    } else void this.#lookUp(question)
    this.#open.set(key, question)
    return question
  }

  #wait(question: Question, signal: AbortSignal, ms: number): Promise<Answer> {
    // Many questions of one session may wait at a time, which is no leak.
    setMaxListeners(0, signal)
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        timer.cancel()
        signal.removeEventListener('abort', leave)
        question.waiting.delete(settle)
        // What nobody waits for any more need not be asked.
        if (question.waiting.size === 0 && this.#queue.delete(question)) this.#close(question)
        resolve(answer)
      }
      const leave = (): void => settle(CANCELLED)
      const timer = this.#options.clock.after(ms, () => settle(TIMEOUT))
      signal.addEventListener('abort', leave)
      question.waiting.add(settle)
    })
  }

  async #lookUp(question: Question): Promise<void> {
    this.#lookups += 1
    const answer = await this.#options.lookup(question.name, question.type)
    this.#lookups -= 1
    this.#close(question)
    for (const settle of [...question.waiting]) settle(answer)
    const [next] = this.#queue
    if (next === undefined) return
    this.#queue.delete(next)
    void this.#lookUp(next)
  }

  #close({ name, type }: Question): void {
    this.#open.delete(`${type} ${name}`)
  }
}

/** The name servers' word, and not that our own time is over. */
function isForeignFailure(answer: Answer): boolean {
  return answer.kind === 'failed' && answer !== TIMEOUT && answer !== CANCELLED && answer !== BUSY
}

// SPDX-License-Identifier: MIT
// Who is killed when: at a step of a letter's attempt, so that every step is hit and not only the long ones.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { STEPS } from './attempt.mjs'
import { pick } from './random.mjs'

/** The end of the message, and what follows until its reply, is where promises are made. */
const AIMED = [...STEPS, 'end', 'end', 'end']
const LATEST_MS = 25

export class Kills {
  /** What was done: `{ at, victim, letter, step }`. */
  done = []
  #plan = new Map()
  #random
  #victims
  #queue = Promise.resolve()
  /** Why somebody did not come back. The run has to end then. */
  failure

  /** `victims`: what each name does, given the source of numbers; it resolves when the victim is back. */
  constructor({ random, victims, letters, count }) {
    this.#random = random
    this.#victims = victims
    const names = Object.keys(victims)
    for (let n = 0; n < count; n++) {
      // Spread over the run, the very first letters spared: connections have to be there to be cut.
      const letter = Math.floor(((n + 0.3 + 0.6 * random()) * letters) / count)
      const wait = random() < 0.5 ? 0 : random() * LATEST_MS
      this.#plan.set(letter, { victim: names[n % names.length], step: pick(random, AIMED), wait })
    }
  }

  /** Called at each step of an attempt. What is planned for it happens; a victim's return is not waited for. */
  async reached(letter, step) {
    const plan = this.#plan.get(letter)
    if (plan === undefined || (step !== plan.step && step !== 'verdict')) return
    this.#plan.delete(letter)
    const struck = this.#strike(plan, letter, step)
    // Without a wait the sender does not go on before it has happened.
    if (plan.wait === 0) await Promise.race([struck, pause(LATEST_MS)])
  }

  /** One after another: who is being brought back cannot be killed. */
  #strike({ victim, wait }, letter, step) {
    const struck = this.#queue.then(async () => {
      if (wait > 0) await pause(wait)
      this.done.push({ at: performance.now(), victim, letter, step })
      await this.#victims[victim](this.#random)
    })
    this.#queue = struck.catch((cause) => {
      this.failure ??= new Error(`${victim} could not be killed, or did not come back: ${cause.message}`, { cause })
    })
    return this.#queue
  }

  /** Resolves when everybody is back; rejects when somebody could not be brought back. */
  async settled() {
    await this.#queue
    if (this.failure !== undefined) throw this.failure
  }
}

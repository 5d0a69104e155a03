// SPDX-License-Identifier: MIT
import type { Address, Cancellation } from '@portico/base'
import type { Octets } from '@portico/net'
import { ServiceLine, type ServiceTiming } from '../service-line.js'
import {
  type Change,
  frameLength,
  type Judgement,
  type MilterAnswer,
  readAnswer,
  readTerms,
  type Terms,
} from './answers.js'
import { negotiateFrame, textFrame } from './commands.js'
import { ACTIONS, ALL_STEPS, STEPS } from './constants.js'

/** Answers to one question: nobody thinks or changes so much. */
const MOST_ANSWERS = 100_000

/** A connection to a milter, with what was agreed upon at its beginning. */
export class MilterLine implements Disposable {
  readonly terms: Terms
  readonly #line: ServiceLine

  private constructor(line: ServiceLine, terms: Terms) {
    this.#line = line
    this.terms = terms
  }

  /** `actions`: what it may change. Throws where nobody is there, or no milter that can be understood. */
  static async to(address: Address, actions: number, timing: ServiceTiming): Promise<MilterLine> {
    const line = await ServiceLine.to(address, timing)
    try {
      const offered = { actions, steps: ALL_STEPS }
      await line.write(negotiateFrame(actions, ALL_STEPS))
      const terms = readTerms(await readFrame(line, timing.signal), offered)
      return new MilterLine(line, terms)
    } catch (error) {
      line[Symbol.dispose]()
      throw error
    }
  }

  /** It agreed to leave out or change a step. */
  has(step: keyof typeof STEPS): boolean {
    return (this.terms.steps & STEPS[step]) !== 0
  }

  /** Sends what needs no answer, at its pace. Throws when it is gone. */
  async tell(...pieces: readonly Octets[]): Promise<void> {
    if (!(await this.#line.write(...pieces))) throw new Error('the milter closed the connection')
  }

  /** Waits for what it thinks of what it was told. Changes have their time at the end of a message only. */
  judgement(signal: Cancellation): Promise<Judgement> {
    return this.conclusion(signal, (change) => {
      throw new Error(`the milter sent ${change.kind} before the end of a message`)
    })
  }

  /** The same at the end of a message: each change goes to `change`, which may throw. */
  async conclusion(signal: Cancellation, change: (change: Change) => void): Promise<Judgement> {
    for (let answers = 0; answers < MOST_ANSWERS; answers += 1) {
      const answer = readAnswer(await readFrame(this.#line, signal))
      if (isJudgement(answer)) return answer
      if (answer.kind === 'progress') continue
      if (!this.#mayChange(answer)) throw new Error(`the milter sent ${answer.kind}, which was not agreed upon`)
      change(answer)
    }
    throw new Error('the milter came to no end')
  }

  /** Says goodbye and is over. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#line.leg.state === 'open') this.#line.leg.write(textFrame('quit'))
    this.#line.leg.close(LINGER)
  }

  /** Drops the connection: nobody knows what still comes. */
  break(): void {
    this.#line[Symbol.dispose]()
  }

  #mayChange({ kind }: Change): boolean {
    return (this.terms.actions & NEEDED[kind]) !== 0
  }
}

/** It is waited for so long until it has closed its side, in milliseconds. */
const LINGER = 1_000

const NEEDED: Readonly<Record<Change['kind'], number>> = {
  'add-header': ACTIONS.addHeaders,
  'insert-header': ACTIONS.addHeaders | ACTIONS.changeHeaders,
  'change-header': ACTIONS.changeHeaders,
  'add-recipient': ACTIONS.addRecipients,
  'delete-recipient': ACTIONS.deleteRecipients,
  'replace-body': ACTIONS.changeBody,
  quarantine: ACTIONS.quarantine,
}

const JUDGEMENTS: ReadonlySet<string> = new Set<Judgement['kind']>([
  ...(['continue', 'accept', 'reject', 'tempfail', 'discard', 'skip', 'shutdown', 'reply'] as const),
])

function isJudgement(answer: MilterAnswer): answer is Judgement {
  return JUDGEMENTS.has(answer.kind)
}

async function readFrame(line: ServiceLine, signal: Cancellation): Promise<Buffer> {
  const length = frameLength(await line.readExactly(4, signal))
  return line.readExactly(length, signal)
}

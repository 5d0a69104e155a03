// SPDX-License-Identifier: MIT
import type { Address, Cancellation } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { AgentSession, DataEndFacts, HelloFacts, MailFacts } from '../agent.js'
import type { Judgement } from './answers.js'
import type { Changes } from './changes.js'
import { argumentsFrame, connectFrame, macroFrame, textFrame } from './commands.js'
import type { STEPS } from './constants.js'
import { connectMacros, helloMacros, mailMacros, messageMacros, recipientMacros } from './macros.js'
import { show } from './message.js'
import { MilterLine } from './milter-line.js'

export interface MilterPlace {
  readonly address: Address
  /** What it may change. */
  readonly actions: number
  readonly wheel: TimerWheel
  /** Milliseconds to connect. */
  readonly timeoutMs: number
}

/** A recipient as a milter is told of it. */
export interface ToldRecipient {
  readonly path: string
  readonly parameters: readonly string[]
}

const CONTINUE: Judgement = { kind: 'continue' }

/**
 * One client's talk with a milter, over one connection that is opened when it is first needed. What it has judged for good it is not
 * asked again. Every method throws where the milter breaks off or the signal comes: the session is then {@link broken}.
 */
export class MilterSession {
  /** It does not know this client, or not all that was said. */
  broken = false
  readonly #place: MilterPlace
  readonly #session: AgentSession
  #line: MilterLine | undefined
  /** Its last word on the client. */
  #client: Judgement | undefined
  /** Its last word on the message that is under way, or undefined while it wants to hear more. */
  #message: Judgement | undefined
  #mail: MailFacts | undefined
  /** Recipients of the message under way that it has been told of and has accepted; undefined: of no message. */
  #told: ToldRecipient[] | undefined

  constructor(place: MilterPlace, session: AgentSession) {
    this.#place = place
    this.#session = session
  }

  connect(signal: Cancellation): Promise<Judgement> {
    return this.#guarded(async () => {
      await this.#open(signal)
      return this.#client ?? CONTINUE
    })
  }

  helo(facts: HelloFacts, signal: Cancellation): Promise<Judgement> {
    return this.#guarded(async () => {
      const line = await this.#open(signal)
      return this.#client ?? this.#helo(line, facts, signal)
    })
  }

  mail(facts: MailFacts, signal: Cancellation): Promise<Judgement> {
    // Another message is another chance.
    this.broken = false
    return this.#guarded(async () => {
      const known = this.#client
      const line = await this.#open(signal)
      if (known !== undefined) return afterwards(known)
      return this.#client ?? this.#begin(line, facts, signal)
    })
  }

  rcpt(recipient: ToldRecipient, signal: Cancellation): Promise<Judgement> {
    return this.#guarded(async () => {
      const last = this.#client ?? this.#message
      const line = await this.#open(signal)
      if (last !== undefined) return afterwards(last)
      return this.#client ?? this.#rcpt(line, recipient, signal)
    })
  }

  /** Shows the whole message. What the milter wants changed goes to `changes`. */
  message(facts: DataEndFacts, changes: Changes, signal: Cancellation): Promise<Judgement> {
    return this.#guarded(async () => {
      const last = this.#client ?? this.#message
      const line = await this.#open(signal)
      if (last !== undefined) return afterwards(last)
      const now = this.#client ?? (await this.#correct(line, facts, signal))
      if (now !== undefined) return now
      const macros = messageMacros(this.#session)
      const said = await show(line, { facts, macros, change: (change) => changes.take(change) }, signal)
      this.#told = undefined
      return said
    })
  }

  end(): void {
    this.#line?.[Symbol.dispose]()
    this.#line = undefined
  }

  async #guarded(question: () => Promise<Judgement>): Promise<Judgement> {
    if (this.broken) throw new Error('the milter does not know this message')
    try {
      return await question()
    } catch (error) {
      this.broken = true
      this.#line?.break()
      this.#line = undefined
      this.#told = undefined
      throw error
    }
  }

  /** The connection, which knows the client; its last word may be said. */
  async #open(signal: Cancellation): Promise<MilterLine> {
    if (this.#line !== undefined) return this.#line
    const { address, actions, wheel, timeoutMs } = this.#place
    const line = await MilterLine.to(address, actions, { wheel, timeoutMs, signal })
    this.#line = line
    this.#client = undefined
    const { peer, hello } = this.#session
    const frames = [macroFrame('connect', connectMacros(this.#session)), connectFrame(peer)]
    const said = await this.#ask(line, 'noConnect', 'quietConnect', frames, signal)
    this.#client = lastWord(said)
    if (this.#client === undefined && hello !== undefined) await this.#helo(line, hello, signal)
    return line
  }

  async #helo(line: MilterLine, { domain }: HelloFacts, signal: Cancellation): Promise<Judgement> {
    const frames = [macroFrame('helo', helloMacros(this.#session)), argumentsFrame('helo', domain)]
    const said = await this.#ask(line, 'noHelo', 'quietHelo', frames, signal)
    this.#client = lastWord(said)
    return said
  }

  async #begin(line: MilterLine, facts: MailFacts, signal: Cancellation): Promise<Judgement> {
    if (this.#told !== undefined) await line.tell(textFrame('abort'))
    this.#mail = facts
    this.#told = []
    const path = `<${facts.sender?.text ?? ''}>`
    const frames = [
      macroFrame('mail', mailMacros(this.#session, facts)),
      argumentsFrame('mail', path, ...parametersOf(facts.parameters)),
    ]
    const said = await this.#ask(line, 'noMail', 'quietMail', frames, signal)
    this.#judged(lastWord(said))
    return said
  }

  async #rcpt(line: MilterLine, recipient: ToldRecipient, signal: Cancellation): Promise<Judgement> {
    const { path, parameters } = recipient
    const macros = recipientMacros(this.#session, path.slice(1, -1))
    const frames = [macroFrame('rcpt', macros), argumentsFrame('rcpt', path, ...parameters)]
    const said = await this.#ask(line, 'noRcpt', 'quietRcpt', frames, signal)
    // Other refusals are of this recipient alone.
    if (said.kind === 'accept' || said.kind === 'discard') this.#judged(said)
    else if (said.kind === 'continue') this.#told?.push(recipient)
    return said
  }

  /**
   * Recipients may have been refused behind the milter's back after it had accepted them. It is told of the message anew where that
   * was so, so that it judges what goes to those who get it. Its last word, if it has one already.
   */
  async #correct(line: MilterLine, { envelope }: DataEndFacts, signal: Cancellation): Promise<Judgement | undefined> {
    const told = this.#told
    const paths = envelope.recipients.map(({ text }) => `<${text}>`)
    if (told?.length === paths.length && told.every(({ path }, at) => path === paths[at])) return undefined
    const facts = this.#mail ?? { sender: envelope.sender, parameters: new Map() }
    let said = await this.#begin(line, facts, signal)
    for (const path of paths) {
      if (said.kind !== 'continue') return said
      const parameters = told?.find((one) => one.path === path)?.parameters ?? []
      said = await this.#rcpt(line, { path, parameters }, signal)
    }
    return lastWord(said)
  }

  #judged(last: Judgement | undefined): void {
    this.#message = last
    // It does not wait for the rest of the message.
    if (last !== undefined) this.#told = undefined
  }

  async #ask(
    line: MilterLine,
    without: keyof typeof STEPS,
    quiet: keyof typeof STEPS,
    frames: readonly Buffer[],
    signal: Cancellation,
  ): Promise<Judgement> {
    if (line.has(without)) return CONTINUE
    await line.tell(...frames)
    return line.has(quiet) ? CONTINUE : line.judgement(signal)
  }
}

/** Anything but `continue` ends what it was said of. */
function lastWord(said: Judgement): Judgement | undefined {
  return said.kind === 'continue' || said.kind === 'skip' ? undefined : said
}

/** What it has refused was told when it was refused; only what it wants to vanish does so at its end. */
function afterwards(last: Judgement): Judgement {
  return last.kind === 'discard' ? last : CONTINUE
}

function parametersOf(parameters: ReadonlyMap<string, string | undefined>): readonly string[] {
  return [...parameters].map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
}

/** A recipient as RCPT names it. */
export function toldRecipient(text: string, parameters: ReadonlyMap<string, string | undefined>): ToldRecipient {
  return { path: `<${text}>`, parameters: parametersOf(parameters) }
}

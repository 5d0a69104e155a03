// SPDX-License-Identifier: MIT
import { CancellationSource, type Clock } from '@portico/base'
import type { TimerWheel } from '@portico/net'
import type { Log } from '@portico/telemetry'
import type { DnsFailure, DnsResolver } from '../dns/dns-resolver.js'
import type { DnsListSettings } from './dns-list-schema.js'
import { type Provider, providerOf } from './provider.js'
import { needsText } from './reply-text.js'

/** What a list says of somebody; `missing`: nothing that is known. */
export type Word =
  | { readonly kind: 'listed'; readonly answer: string; readonly text: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'missing'; readonly why: DnsFailure }

/** What lists say of one subject, each when it is known. */
export interface Inquiry extends Disposable {
  readonly subject: string
  readonly words: ReadonlyMap<Provider, Promise<Word>>
}

/** What the lists together say: the first one in their order that holds its subject decides. */
export interface Verdict {
  readonly listed:
    | { readonly provider: Provider; readonly subject: string; readonly answer: string; readonly text: string }
    | undefined
  /** Lists before that one whose word is not known, with the reason. */
  readonly missing: readonly string[]
}

/** Inquiries by what they are about. */
export type Inquiries = { [of in Subject]?: Inquiry | undefined }
export type Subject = Provider['settings']['of']

export interface ListNeeds {
  readonly resolver: DnsResolver
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly log: Log
}

/** While a list answers what it should not, that is told so often. */
const TOLD_AGAIN_MS = 600_000
const CLEAR: Word = { kind: 'clear' }

/** The lists of one agent, in their order, shared by all sessions. */
export class Lists {
  readonly #providers: readonly Provider[]
  readonly #deadline: number
  readonly #needs: ListNeeds
  readonly #told = new Map<string, number>()

  constructor({ providers, deadline }: Pick<DnsListSettings, 'providers' | 'deadline'>, needs: ListNeeds) {
    this.#providers = providers.map(providerOf)
    this.#deadline = deadline
    this.#needs = needs
  }

  /** Some list is of such subjects. */
  areOf(of: Subject): boolean {
    return this.#providers.some(({ settings }) => settings.of === of)
  }

  /** Some list means that nothing more is asked. */
  get canExempt(): boolean {
    return this.#providers.some(({ settings }) => settings.kind === 'allow')
  }

  /** Asks all lists of such subjects at once. Those that have not answered within the deadline never do. */
  inquire(of: Subject, subject: string): Inquiry {
    const signal = new CancellationSource()
    const timer = this.#needs.wheel.add(this.#deadline, () => signal.abort('deadline'))
    const asked = this.#providers.filter(({ settings }) => settings.of === of)
    return {
      subject,
      words: new Map(asked.map((provider) => [provider, this.#wordOf(provider, subject, signal)])),
      [Symbol.dispose]() {
        timer.cancel()
        signal.abort('closed')
      },
    }
  }

  /** What they have come to. Never later than the last deadline of the inquiries. */
  async verdict(inquiries: Inquiries): Promise<Verdict> {
    const missing: string[] = []
    for (const provider of this.#providers) {
      const { zone, of } = provider.settings
      const inquiry = inquiries[of]
      const word = await inquiry?.words.get(provider)
      if (inquiry === undefined || word === undefined) continue
      if (word.kind === 'missing') missing.push(`${zone} (${word.why})`)
      if (word.kind === 'listed')
        return { listed: { provider, subject: inquiry.subject, answer: word.answer, text: word.text }, missing }
    }
    return { listed: undefined, missing }
  }

  async #wordOf(provider: Provider, subject: string, signal: CancellationSource): Promise<Word> {
    const { resolver } = this.#needs
    const name = provider.nameOf(subject)
    if (name === undefined) return CLEAR
    const answer = await resolver.ask(name, 'A', signal)
    if (answer.kind === 'absent') return CLEAR
    if (answer.kind === 'failed') return { kind: 'missing', why: signal.reason === 'deadline' ? 'timeout' : answer.why }
    const reading = provider.read(answer.records)
    if (reading.kind === 'odd') this.#tellOf(provider.settings.zone, reading.answer)
    if (reading.kind !== 'listed') return CLEAR
    if (!needsText(provider.settings.reply)) return { ...reading, text: '' }
    const text = await resolver.ask(name, 'TXT', signal)
    return { ...reading, text: text.kind === 'found' ? (text.records[0] ?? '') : '' }
  }

  #tellOf(zone: string, answer: string): void {
    const { clock, log } = this.#needs
    const now = clock.now()
    const before = this.#told.get(zone)
    if (before !== undefined && now - before < TOLD_AGAIN_MS) return
    this.#told.set(zone, now)
    log.warn('a DNS list gives answers that are no listings', { list: zone, answer })
  }
}

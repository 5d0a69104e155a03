// SPDX-License-Identifier: MIT
import { isSameMailbox, type Mailbox, parsePath } from '../../address.js'
import type { DataEndFacts, EnvelopeEdits, Pass, Rewrite } from '../agent.js'
import { type Change, MilterFault } from './answers.js'
import { HeaderPlan } from './header-plan.js'

/** More recipients are a fault. */
const MOST_RECIPIENTS = 1_000

/** What a milter wants changed of one message. */
export class Changes {
  /** Why it is to be kept for somebody to look at; undefined: it is not. */
  quarantine: string | undefined
  readonly #header: HeaderPlan
  readonly #recipients: readonly Mailbox[]
  readonly #largestBody: number
  readonly #added: Mailbox[] = []
  readonly #dropped = new Set<Mailbox>()
  #body: Buffer[] | undefined
  #octets = 0

  /** `largestBody`: octets of another body, which is held in memory. */
  constructor({ fields, envelope }: Pick<DataEndFacts, 'fields' | 'envelope'>, largestBody: number) {
    this.#header = new HeaderPlan(fields)
    this.#recipients = envelope.recipients
    this.#largestBody = largestBody
  }

  /** Throws {@link MilterFault} for what cannot be done. */
  take(change: Change): void {
    if (change.kind === 'add-recipient') this.#add(recipientOf(change.path))
    else if (change.kind === 'delete-recipient') this.#drop(recipientOf(change.path))
    else if (change.kind === 'replace-body') this.#replace(change.octets)
    else if (change.kind === 'quarantine') this.quarantine = change.reason
    else this.#header.apply(change)
  }

  /** It has taken all recipients away, which is how some make a message vanish. */
  get leavesNobody(): boolean {
    return this.#added.length === 0 && this.#dropped.size > 0 && this.#dropped.size === this.#recipients.length
  }

  opinion(): Pass {
    const edits = this.#header.edits()
    const envelope = this.#envelope()
    return {
      kind: 'pass',
      ...(edits === undefined ? {} : { edits }),
      ...(envelope === undefined ? {} : { envelope }),
      ...(this.#body === undefined ? {} : { rewrite: another(this.#body) }),
    }
  }

  #envelope(): EnvelopeEdits | undefined {
    if (this.#added.length + this.#dropped.size === 0) return undefined
    return { add: this.#added, drop: [...this.#dropped] }
  }

  #add(mailbox: Mailbox): void {
    if (this.#added.length >= MOST_RECIPIENTS) throw new MilterFault('too many recipients')
    const known = [...this.#recipients, ...this.#added].find((one) => isSameMailbox(one, mailbox))
    if (known === undefined) this.#added.push(mailbox)
    else this.#dropped.delete(known)
  }

  #drop(mailbox: Mailbox): void {
    const added = this.#added.findIndex((one) => isSameMailbox(one, mailbox))
    if (added >= 0) this.#added.splice(added, 1)
    for (const one of this.#recipients) if (isSameMailbox(one, mailbox)) this.#dropped.add(one)
  }

  #replace(octets: Buffer): void {
    this.#octets += octets.length
    if (this.#octets > this.#largestBody) throw new MilterFault('a body that is too big')
    this.#body ??= []
    this.#body.push(octets)
  }
}

/** Pieces may end between a CR and its LF. */
function another(pieces: readonly Buffer[]): Rewrite {
  return async (_from, create) => {
    const spool = create()
    const text = Buffer.concat(pieces).toString('latin1')
    // Lines of a milter may end in LF alone; readers do not agree where such a line ends.
    spool.write(Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n').replace(/\0/g, ''), 'latin1'))
    const spooled = await spool.finish()
    return spooled.kind === 'spooled' ? { body: spooled.message } : undefined
  }
}

function recipientOf(path: string): Mailbox {
  const parsed = parsePath(path.startsWith('<') ? path : `<${path}>`)
  if (parsed.kind !== 'mailbox') throw new MilterFault('a recipient that is no address')
  return parsed.mailbox
}

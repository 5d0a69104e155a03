// SPDX-License-Identifier: MIT
import type { HeaderEdits, HeaderField } from '../message/header-fields.js'
import type { MethodResult } from '../message/trace.js'
import type { Finding, MessageNotes, Notes } from './agent.js'
import { encodedText, headerField } from './header-text.js'

/** A finding that stays on the message, which goes on. */
export interface Tag extends Finding {
  readonly scl: number | undefined
}

/** A message that goes to another mailbox than its recipients'. */
export interface Quarantine extends Tag {
  readonly address: string
}

/** More findings say no more, and each goes into the header. */
const MOST_FINDINGS = 50
/** Characters of a reason in the header. */
const LONGEST_REASON = 500
const SCL_FIELD = 'X-MS-Exchange-Organization-SCL'

/** What agents have found out about a client or a message. */
export class Marks implements MessageNotes {
  readonly findings: Finding[] = []
  readonly results: MethodResult[] = []
  readonly types = new Set<string>()
  /** The first one counts. */
  quarantine: Quarantine | undefined
  readonly #tags: Tag[] = []
  #scl: number | undefined
  #setScl: number | undefined

  get scl(): number | undefined {
    return this.#setScl ?? this.#scl
  }

  /** All that others hold. */
  static of(...others: readonly Marks[]): Marks {
    const marks = new Marks()
    for (const other of others) marks.#take(other)
    return marks
  }

  note({ scl, setScl, results = [], types = [] }: Notes): void {
    this.#raise(scl)
    this.#setScl = setScl ?? this.#setScl
    this.results.push(...results)
    for (const type of types) this.types.add(type)
  }

  find(finding: Finding): void {
    if (this.findings.length < MOST_FINDINGS && !this.findings.some((one) => isSame(one, finding)))
      this.findings.push(finding)
  }

  tag(tag: Tag): void {
    if (this.#tags.length < MOST_FINDINGS && !this.#tags.some((one) => isSame(one, tag))) this.#tags.push(tag)
    this.#raise(tag.scl)
  }

  keepAway(quarantine: Quarantine): void {
    this.quarantine ??= quarantine
    this.tag(quarantine)
  }

  /** What a message says of it; `recipients` are told where they do not get it. */
  edits(recipients: () => readonly string[]): HeaderEdits {
    const { quarantine, scl } = this
    const prepend = [
      ...(quarantine === undefined ? [] : quarantineFields(quarantine, recipients())),
      ...this.#tags.map(({ agent, reason }) => headerField('X-Portico-Finding', findingText(agent, reason))),
      ...(scl === undefined ? [] : [`${SCL_FIELD}: ${scl}\r\n`]),
    ].filter((field) => field !== undefined)
    return scl === undefined ? { prepend } : { remove: isScl, prepend }
  }

  #raise(scl: number | undefined): void {
    if (scl !== undefined && scl > (this.#scl ?? Number.NEGATIVE_INFINITY)) this.#scl = scl
  }

  #take(other: Marks): void {
    this.findings.push(...other.findings)
    this.results.push(...other.results)
    for (const type of other.types) this.types.add(type)
    this.#tags.push(...other.#tags)
    this.quarantine ??= other.quarantine
    this.#raise(other.#scl)
    this.#setScl = other.#setScl ?? this.#setScl
  }
}

/** What a message in quarantine says: why, and whom it was for. */
function quarantineFields(
  { agent, reason }: Pick<Quarantine, 'agent' | 'reason'>,
  recipients: readonly string[],
): readonly string[] {
  return [
    headerField('X-Portico-Quarantine', findingText(agent, reason)),
    ...recipients.map((recipient) =>
      headerField('X-Portico-Recipient', encodedText(Buffer.from(recipient, 'latin1').toString())),
    ),
  ].filter((field) => field !== undefined)
}

/** One line, whatever a service has said: a field that is none of the grammar would be left out, and nobody would learn of the finding. */
function findingText(agent: string, reason: string): string {
  return encodedText(`${agent}; ${reason.slice(0, LONGEST_REASON).replace(/[\s\0]+/g, ' ')}`)
}

function isSame(one: Finding, other: Finding): boolean {
  return one.agent === other.agent && one.reason === other.reason
}

function isScl({ name }: HeaderField): boolean {
  return name === SCL_FIELD.toLowerCase()
}

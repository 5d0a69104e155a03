// SPDX-License-Identifier: MIT
import { mailboxOf } from '../address.js'
import type { EnvelopeEdits, Rewrite } from '../agents/agent.js'
import type { Quarantine } from '../agents/marks.js'
import type { AgentRun, Go } from '../agents/run-agents.js'
import type { Dialogue } from '../dialogue.js'
import { plainOf } from '../message/dot-stuffing.js'
import type { LineForm } from '../message/header-fields.js'
import { Spool, type SpooledMessage } from '../message/spool.js'
import { REPLIES, type Reply } from '../replies.js'
import { sharedOf } from '../shared.js'
import { Delivery } from './delivery.js'
import { type Branch, type Envelope, inTurn } from './envelope.js'
import { type Fault, faultOf, faultWith } from './fault.js'
import { edited, factsOf, type JudgedHeader, judgeHeader } from './header.js'
import type { Judged, LateJudgement, MessagePump } from './message-pump.js'
import type { Passage } from './passage.js'
import { pumpFor } from './pump-for.js'
import { addressees, missingCopy, readdress } from './readdress.js'
import { prepared, rewritten } from './rewrite.js'
import { SpoolSink } from './spool-sink.js'
import { type Outgoing, SpooledDelivery } from './spooled-delivery.js'
import { abandonStarted, startData } from './start.js'
import { awaitVerdicts, oneAnswer } from './verdicts.js'

/** A message that is kept until agents have seen all of it, and goes on only then. The backends are told nothing before. */
export class KeptPassage implements Passage {
  readonly pump: MessagePump
  readonly #dialogue: Dialogue
  readonly #envelope: Envelope
  readonly #agents: AgentRun
  readonly #spool: Spool
  /** What rewriters have written. */
  readonly #made: Spool[] = []
  #header: JudgedHeader | undefined

  constructor(dialogue: Dialogue, envelope: Envelope, agents: AgentRun, form: LineForm) {
    this.#dialogue = dialogue
    this.#envelope = envelope
    this.#agents = agents
    const budget = sharedOf(dialogue.settings).spools
    // The pump knows how much is too much, and says so before.
    this.#spool = new Spool({ budget, maxSize: Number.POSITIVE_INFINITY })
    this.pump = pumpFor(dialogue, envelope, new SpoolSink(this.#spool, form), form, (section) =>
      this.#judge(Buffer.from(section), form),
    )
  }

  /** Nothing of a message has gone anywhere before its last chunk. */
  async chunkAnswer(): Promise<undefined> {
    return undefined
  }

  async verdicts(): Promise<readonly Reply[] | Fault> {
    const spooled = await this.#spool.finish()
    const header = this.#header
    if (spooled.kind === 'refused' || header === undefined) return faultOf('no-room')
    const { message } = spooled
    const agents = this.#agents
    const facts = { envelope: factsOf(this.#envelope), fields: header.fields, notes: agents.notes, message }
    const verdict = await agents.ask('dataEnd', facts)
    if (verdict.kind === 'gone') return faultOf('backend-lost')
    if (verdict.kind === 'refuse') return faultWith('agent', verdict.reply, verdict.close)
    if (verdict.discard) return this.#discard()
    const fault = await this.#readdress(verdict)
    if (fault !== undefined) return fault
    return this.#send(message, { ...header, edits: [...header.edits, ...verdict.edits] }, verdict.rewrites)
  }

  close(): void {
    void this.#spool[Symbol.asyncDispose]()
    for (const spool of this.#made) void spool[Symbol.asyncDispose]()
  }

  /** A message that goes to quarantine goes nowhere else. Where nobody is left its client is told: nobody has said that it is to vanish. */
  async #readdress({ envelope: edits }: Go): Promise<Fault | undefined> {
    const { quarantine } = this.#agents.notes
    if (quarantine === undefined && edits.length === 0) return undefined
    const envelope = this.#envelope
    const wanted = addressees(envelope.recipients, quarantine === undefined ? edits : [toQuarantine(quarantine)])
    return wanted.length === 0 ? faultWith('agent', REPLIES.nobodyLeft) : readdress(this.#dialogue, envelope, wanted)
  }

  /** Its client is told that all is well, and the backends hear no more of it. */
  async #discard(): Promise<readonly Reply[]> {
    const envelope = this.#envelope
    envelope.discarded = true
    await this.#dialogue.resetBranches(envelope.branches)
    return envelope.recipients.map(() => REPLIES.discarded)
  }

  /** What is kept stays as it came; what goes out has the edits of all agents. */
  #judge(section: Buffer, form: LineForm): Judged | LateJudgement {
    const plain = form === 'data' ? plainOf(section) : section
    const judged = judgeHeader(this.#dialogue, this.#envelope, plain, 'plain')
    return typeof judged === 'function'
      ? async () => this.#remember(await judged(), section)
      : this.#remember(judged, section)
  }

  #remember(judged: JudgedHeader | Fault, section: Buffer): Judged {
    if ('why' in judged) return judged
    this.#header = judged
    return [section]
  }

  /** Copies that take another way go first: while one of them is not taken nobody else gets the message, and so nobody gets it twice. */
  async #send(
    message: SpooledMessage,
    header: JudgedHeader,
    rewrites: readonly Rewrite[],
  ): Promise<readonly Reply[] | Fault> {
    const envelope = this.#envelope
    const outgoing = await this.#outgoing(message, header, rewrites)
    if ('why' in outgoing) return outgoing
    const { copies, others } = inTurn(envelope)
    if (copies.length > 0) {
      const fault = missingCopy(this.#dialogue, copies, await this.#deliver(outgoing, copies))
      if (fault !== undefined) return fault
    }
    const replies = await this.#deliver(outgoing, others)
    if ('why' in replies || envelope.readdressed === undefined) return replies
    // Those who were told of are not those who get it: whatever becomes of it holds for all.
    const answer = oneAnswer(replies)
    return envelope.recipients.map(() => answer)
  }

  /** What backends say of the message: for each recipient that they hold. */
  async #deliver(outgoing: Outgoing, branches: readonly Branch[]): Promise<readonly Reply[] | Fault> {
    const dialogue = this.#dialogue
    const { connector, session } = dialogue
    const envelope = this.#envelope
    const binary = envelope.parameters.body === 'BINARYMIME'
    const refusal = binary ? undefined : await startData(dialogue, branches)
    const begun = branches.filter((branch) => branch.refusal === undefined)
    if (refusal !== undefined && (begun.length === 0 || !connector.lmtp)) {
      await abandonStarted(dialogue, branches)
      return faultWith('backend-refused', refusal)
    }
    const facts = { form: 'plain', each: connector.lmtp, wheel: session.services.wheel } as const
    const delivery = new Delivery(begun, facts, () => binary)
    if (!(await new SpooledDelivery(delivery, outgoing).send())) {
      delivery.cut()
      return faultOf('backend-lost')
    }
    return awaitVerdicts(dialogue, envelope, branches, delivery.outlets)
  }

  /** The message as it goes out. */
  async #outgoing(
    message: SpooledMessage,
    header: JudgedHeader,
    rewrites: readonly Rewrite[],
  ): Promise<Outgoing | Fault> {
    const { session } = this.#dialogue
    const pieces = edited(this.#dialogue, this.#envelope, header, 'plain')
    const { length } = header.section
    if (rewrites.length === 0) return { pieces, message, skipped: length }
    try {
      const made = await rewritten(prepared(pieces, message, length), rewrites, () => this.#create(), session.signal)
      if (made !== undefined) return { pieces: [made.section], message: made.message, skipped: made.section.length }
    } catch (error) {
      session.services.log.error('a message could not be rewritten, it is put off', { session: session.id, error })
    }
    return faultOf('no-room')
  }

  /** Room for another body of the message, which goes with the message. */
  #create(): Spool {
    const budget = sharedOf(this.#dialogue.settings).spools
    const spool = new Spool({ budget, maxSize: Number.POSITIVE_INFINITY })
    this.#made.push(spool)
    return spool
  }
}

function toQuarantine({ address }: Quarantine): EnvelopeEdits {
  const mailbox = mailboxOf(address)
  return { redirect: mailbox === undefined ? [] : [mailbox] }
}

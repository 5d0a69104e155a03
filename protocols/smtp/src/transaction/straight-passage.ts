// SPDX-License-Identifier: MIT
import type { Dialogue } from '../dialogue.js'
import type { LineForm } from '../message/header-fields.js'
import type { Reply } from '../replies.js'
import { Delivery } from './delivery.js'
import type { Branch, Envelope } from './envelope.js'
import { type Fault, faultWith } from './fault.js'
import { edited, type JudgedHeader, judgeHeader } from './header.js'
import type { Judged, MessagePump } from './message-pump.js'
import type { Passage } from './passage.js'
import { pumpFor } from './pump-for.js'
import { awaitVerdicts, chunkReply } from './verdicts.js'

/** A message that goes on as it comes, and is kept nowhere. */
export class StraightPassage implements Passage {
  readonly pump: MessagePump
  readonly #dialogue: Dialogue
  readonly #envelope: Envelope
  readonly #delivery: Delivery

  /** `branches`: those that take it in DATA form have said 354. */
  constructor(dialogue: Dialogue, envelope: Envelope, branches: readonly Branch[], form: LineForm) {
    const each = dialogue.connector.lmtp
    const { wheel } = dialogue.session.services
    this.#dialogue = dialogue
    this.#envelope = envelope
    this.#delivery = new Delivery(branches, { form, each, wheel }, (branch) => form === 'plain' && takesChunks(branch))
    this.pump = pumpFor(dialogue, envelope, this.#delivery, form, (section) => {
      const judged = judgeHeader(dialogue, envelope, section, form)
      const outgoing = (one: JudgedHeader | Fault): Judged =>
        'why' in one ? one : edited(dialogue, envelope, one, form)
      return typeof judged === 'function' ? async () => outgoing(await judged()) : outgoing(judged)
    })
  }

  async chunkAnswer(): Promise<Reply | Fault | undefined> {
    let answer: Reply | undefined
    for (const outlet of this.#delivery.outlets) {
      if (outlet.unanswered === 0 || outlet.lost) continue
      const reply = await chunkReply(this.#dialogue, outlet)
      if (reply.code < 300) {
        answer ??= reply
        continue
      }
      outlet.branch.refusal = reply
      outlet.drop()
      if (this.#delivery.broken !== undefined) return faultWith('backend-refused', reply)
    }
    return answer
  }

  verdicts(): Promise<readonly Reply[]> {
    return awaitVerdicts(this.#dialogue, this.#envelope, this.#envelope.branches, this.#delivery.outlets)
  }

  close(): void {
    for (const outlet of this.#delivery.outlets) outlet.close()
  }
}

/** The backend takes messages by BDAT (RFC 3030). */
export function takesChunks({ backend }: Branch): boolean {
  return backend.extensions.has('CHUNKING')
}

// SPDX-License-Identifier: MIT
import { ClientDialogue, type Ended, type Session } from '@portico/session'
import { answerTo, type Question, refusal } from './answer.js'
import { Crowd } from './crowd.js'
import { parseHead } from './parse.js'
import { type Message, readMessage } from './read-message.js'
import { contentLength, type Request, requestOf } from './request.js'
import type { SipSettings } from './schema.js'
import { senderOf } from './sender.js'

/** One connection: requests are read one after another, and answered as soon as each one's mailbox is known. */
export async function serveSip(session: Session, settings: SipSettings): Promise<Ended> {
  const dialogue = new ClientDialogue(session)
  const connection = new Connection(session, settings, dialogue)
  try {
    return await connection.serve()
  } finally {
    await connection.finish()
    await dialogue.close()
  }
}

/** What a message came to: the connection goes on, goes on after a fault, or is over. */
type Next = 'on' | 'bad' | Ended

class Connection {
  readonly #session: Session
  readonly #settings: SipSettings
  readonly #dialogue: ClientDialogue
  readonly #crowd: Crowd
  #admitted = false

  constructor(session: Session, settings: SipSettings, dialogue: ClientDialogue) {
    this.#session = session
    this.#settings = settings
    this.#dialogue = dialogue
    this.#crowd = new Crowd(session, settings.atOnce)
  }

  async serve(): Promise<Ended> {
    const { badCommands } = this.#session.services.limits
    let faults = 0
    for (let first = true; ; first = false) {
      const next = await this.#serveOne(await readMessage(this.#dialogue, this.#settings.head, first))
      if (next !== 'on' && next !== 'bad') return next
      if (next === 'bad') faults += 1
      if (faults >= badCommands) return 'too-many-errors'
    }
  }

  /** What was asked before the end is answered, if anybody is there to hear it. */
  async finish(): Promise<void> {
    await this.#crowd.finish()
  }

  async #serveOne(message: Message): Promise<Next> {
    switch (message.kind) {
      case 'gone':
        return this.#dialogue.ended
      case 'foreign':
        return 'not-this-protocol'
      case 'ping':
        this.#dialogue.write('\r\n')
        return 'on'
      case 'too-long':
        return this.#giveUp(message.head, 'too-long')
      case 'broken':
        return this.#giveUp(message.head, 'Malformed Line End')
      case 'head':
        return this.#serveHead(message.head)
    }
  }

  async #serveHead(text: string): Promise<Next> {
    const head = parseHead(text)
    if (head.kind === 'garbage') return 'not-this-protocol'
    // Nothing is ever asked from here, so that no response can be meant for us; its body has to be passed over all the same.
    if (head.kind === 'response') return this.#giveUp(text, 'Unexpected Response')
    const request = requestOf(head)
    const length = contentLength(request.fields)
    if (length === undefined) return this.#giveUp(text, request.fault ?? 'Missing Content-Length')
    if (length > this.#settings.body) return this.#giveUp(text, 'too-long')
    if (!(await this.#dialogue.swallow(length))) return this.#dialogue.ended
    return this.#answer(request)
  }

  async #answer(request: Request): Promise<Next> {
    const { sender } = this.#question
    if (sender.admitted && request.fault === undefined && !this.#admitted) this.#admit()
    await this.#crowd.enter(async (asking) => {
      const answer = await answerTo(request, { ...this.#question, asking })
      if (answer !== undefined) this.#dialogue.write(answer)
    })
    return request.fault === undefined && sender.admitted ? 'on' : 'bad'
  }

  /** Where the next message begins is not known any more: what can be said is said, and the connection closed (section 18.3). */
  #giveUp(text: string, fault: string): Ended {
    const head = parseHead(text)
    const answer = head.kind === 'request' ? refusal(requestOf(head), fault, this.#question) : undefined
    if (answer !== undefined) this.#dialogue.write(answer)
    return 'too-many-errors'
  }

  #admit(): void {
    this.#admitted = true
    this.#dialogue.admitted()
    this.#dialogue.setIdle(this.#settings.idle)
  }

  get #question(): Question {
    const { networks, leg, listener } = this.#session
    return {
      asking: this.#session,
      listener,
      transport: leg.tls === undefined ? 'tcp' : 'tls',
      sender: senderOf(this.#settings, networks, leg.tls),
      settings: this.#settings,
    }
  }
}

// SPDX-License-Identifier: MIT
import type { Log } from '@portico/telemetry'
import {
  type Agent,
  type AgentSession,
  type DataEndFacts,
  type HeadersFacts,
  type Opinion,
  PASS,
  type Pass,
} from '../agents/agent.js'
import { type AgentNeeds, type AgentType, agentBasics } from '../agents/agent-type.js'
import { lenientName } from '../message/header-firewall.js'
import { disbelieved } from './claims.js'
import { excessOf } from './class-limits.js'
import { type ClassFacts, classify, type Judgement } from './classify.js'
import { firstParts } from './first-parts.js'
import { type Classification, contextOf } from './message-class.js'
import { type TelephonySettings, telephonySchema } from './telephony-schema.js'

/** Recognises voice messages, faxes and their like, marks those of partners, and takes the claims of all others away. */
export const telephony: AgentType<TelephonySettings> = {
  type: 'telephony',
  priority: 20,
  everywhere: true,
  schema: telephonySchema,
  make,
}

function make(settings: TelephonySettings, { log }: Pick<AgentNeeds, 'log'>): Agent {
  return {
    name: 'telephony',
    antiSpam: false,
    ...agentBasics(settings),
    open: (session) => new TelephonySession(settings, session, log),
  }
}

class TelephonySession {
  readonly #settings: TelephonySettings
  readonly #session: AgentSession
  readonly #log: Log
  /** Of the present message. */
  #judged: Judgement = { kind: 'none' }

  constructor(settings: TelephonySettings, session: AgentSession, log: Log) {
    this.#settings = settings
    this.#session = session
    this.#log = log
  }

  readonly headers = ({ fields, envelope }: HeadersFacts): Opinion => {
    const isPartner = this.#session.tellsOfCalls
    this.#judged = this.#classify({ fields, recipients: envelope.recipients, parts: undefined })
    if (isPartner) return this.#judged.kind === 'class' ? stamped(this.#judged.is, fields) : PASS
    const edits = disbelieved(fields)
    if (edits === undefined) return PASS
    this.#tell(edits.names)
    return { kind: 'pass', edits }
  }

  /** Strangers' messages are kept for nobody's sake: their claims are judged by the header alone, as false. */
  get dataEnd() {
    return this.#session.tellsOfCalls ? this.#atEnd : undefined
  }

  readonly #atEnd = async ({ fields, envelope, message }: DataEndFacts): Promise<Opinion> => {
    if (this.#judged.kind === 'none') return PASS
    const parts = await firstParts(message)
    if (parts === undefined) throw new Error('the message could not be read')
    const late = this.#judged.kind === 'look'
    if (late) {
      const types = parts.map(({ contentType }) => contentType.value || 'text/plain')
      this.#judged = this.#classify({ fields, recipients: envelope.recipients, parts: types })
    }
    if (this.#judged.kind !== 'class') return PASS
    const { is } = this.#judged
    const excess = excessOf(
      is.messageClass,
      { size: message.size, fields, parts: parts.map((part) => part.fields) },
      this.#settings.limits,
    )
    if (excess !== undefined) return late ? { ...excess, notes: { types: [is.messageClass] } } : excess
    return late ? stamped(is, fields) : PASS
  }

  #classify(facts: Omit<ClassFacts, 'partner'>): Judgement {
    const { connector, tellsOfCalls } = this.#session
    return classify({ ...facts, partner: tellsOfCalls ? this.#settings.partners[connector] : undefined })
  }

  #tell(fields: readonly string[]): void {
    const { id, peer, connector, user } = this.#session
    const claim = this.#judged.kind === 'class' ? this.#judged.is : undefined
    this.#log.info('a claim to tell of a call is not believed', {
      session: id,
      client: peer.address,
      connector,
      user,
      fields,
      class: claim?.messageClass,
      evidence: claim?.evidence,
    })
  }
}

/** The class goes into a field of our own, into what rules can ask for, and into Message-Context where nobody has said it before. */
function stamped({ messageClass, evidence }: Classification, fields: HeadersFacts['fields']): Pass {
  const context = contextOf(messageClass)
  const isSilent = context !== undefined && fields.first('message-context') === undefined
  return {
    kind: 'pass',
    notes: { types: [messageClass] },
    edits: {
      remove: (field) => lenientName(field) === 'x-portico-message-class',
      prepend: [
        `X-Portico-Message-Class: ${messageClass}; evidence=${evidence}\r\n`,
        ...(isSilent ? [`Message-Context: ${context}\r\n`] : []),
      ],
    },
  }
}

// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { clientKey } from '@portico/net'
import { say } from '../../replies.js'
import { AddressList } from '../address-list.js'
import { type Agent, type AgentHandlers, type AgentSession, type Opinion, PASS } from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics } from '../agent-type.js'
import { faultsOfName } from '../helo/hello-faults.js'
import { iprevOf } from '../helo/iprev.js'
import { ratingOf, type Seen } from './history.js'
import { ReputationMemory } from './memory.js'
import { type ReputationSettings, reputationSchema } from './reputation-schema.js'

type Needs = Pick<AgentNeeds, 'clock' | 'log' | 'state' | 'resolver' | 'hostname' | 'domains'>

const NAME = 'reputation'
const REASON = 'address has a bad reputation'
const TEXT = 'Too much unwanted mail from your address'
const AT_RCPT: Opinion = { kind: 'against', reply: say(550, '5.7.1', TEXT), reason: REASON }
/** Instead of a greeting (RFC 5321 section 3.1). */
const AT_CONNECT: Opinion = { kind: 'against', reply: say(554, '5.7.1', TEXT), reason: REASON, close: true }

/** What one session needs of the agent. */
interface Bench {
  readonly settings: ReputationSettings
  readonly memory: ReputationMemory
  readonly excepted: AddressList
  readonly resolver: AgentNeeds['resolver']
  readonly ownNames: ReadonlySet<string>
}

/** Clients by what they have sent before. */
function make(settings: ReputationSettings, needs: Needs): Agent {
  const { clock, log, state, resolver } = needs
  const blocked = (client: string, srl: number): void => {
    const until = new Date(clock.wallNow() + settings.blockFor).toISOString()
    log.warn('a client is blocked for its reputation', { client, srl, until, audit: settings.audit })
  }
  const failed = (error: unknown): void => log.error('a message was not counted for its client', { error })
  const bench: Bench = {
    settings,
    memory: new ReputationMemory({ state, clock, rules: settings, blocked, failed }),
    excepted: new AddressList(settings.exceptRecipients),
    resolver,
    ownNames: new Set([needs.hostname.toLowerCase(), ...needs.domains]),
  }
  return {
    name: NAME,
    antiSpam: true,
    ...agentBasics(settings),
    // Whoever comes by a Unix socket has no address to be known by.
    open: (session) => (session.peer.family === 'unix' ? undefined : handlersFor(session, bench)),
  }
}

function handlersFor(session: AgentSession, bench: Bench): AgentHandlers {
  const { settings, memory, excepted } = bench
  const client = clientKey(session.peer)
  const counter = new MessageCounter(session, client, bench)
  let blocked = false
  return {
    async connect({ greeting }, signal) {
      // What a proxy passes on is not the proxy's own, and is counted for whom it names.
      counter.isOff = session.isProxy && greeting
      blocked = !counter.isOff && (await memory.isBlocked(client, signal))
      return blocked && settings.when === 'connect' ? AT_CONNECT : PASS
    },
    ehlo({ domain }) {
      counter.hello(domain)
      return PASS
    },
    mail() {
      counter.close()
      return PASS
    },
    rcpt({ recipient }) {
      const isBlocked = blocked || (!counter.isOff && memory.knowsBlocked(client))
      return isBlocked && !excepted.holds(recipient) ? AT_RCPT : PASS
    },
    heard({ event, refused }) {
      if (!refused) return
      // Where another agent refuses MAIL, nobody behind it is asked: this is then one message more.
      if (event === 'mail') counter.close()
      counter.refused = true
      if (event === 'mail') counter.close()
    },
    // What was found before MAIL is among the findings of each message.
    concluded: (accepted, { scl, findings }) => counter.conclude(accepted, findings.length > 0, scl),
    end: () => counter.close(),
  }
}

/** Tells the memory what a client sends, one message after another. */
class MessageCounter {
  /** Nothing is counted. */
  isOff = false
  /** As they are now: when the session is over, another client may have taken its place. */
  readonly #address: string
  readonly #ownAddress: string
  readonly #client: string
  readonly #bench: Bench
  /** Something was refused since the message before. */
  refused = false
  #badHello = false

  constructor({ peer, local }: AgentSession, client: string, bench: Bench) {
    this.#address = peer.address
    this.#ownAddress = local.address
    this.#client = client
    this.#bench = bench
  }

  hello(name: string): void {
    const site = { ownNames: this.#bench.ownNames, ownAddress: this.#ownAddress, client: this.#address }
    this.#badHello = faultsOfName(name, site).length > 0
  }

  /** A message was refused or has been taken; `found`: somebody had something against it. */
  conclude(accepted: boolean, found: boolean, scl: number | undefined): void {
    const rating = ratingOf(accepted, this.refused ? 'too-much' : found ? 'something' : 'nothing', scl)
    this.refused = false
    if (rating !== undefined && !this.isOff) this.#count(rating)
  }

  /** Another message begins, or none: one that never came so far is counted when it was refused. */
  close(): void {
    this.conclude(false, false, undefined)
  }

  #count(rating: number): void {
    const badHello = this.#badHello
    void this.#bench.memory.count(this.#client, async (): Promise<Seen> => {
      return { rating, badHello, nameless: await this.#isNameless() }
    })
  }

  async #isNameless(): Promise<boolean> {
    if (!this.#bench.settings.reverseName) return false
    const { result } = await iprevOf(this.#address, this.#bench.resolver, NEVER)
    return result === 'permerror' || result === 'fail'
  }
}

/** The agent type `reputation`. */
export const reputation: AgentType<ReputationSettings> = {
  type: NAME,
  priority: 80,
  schema: reputationSchema,
  make,
}

// SPDX-License-Identifier: MIT
import type { Log } from '@portico/telemetry'
import { say } from '../../replies.js'
import { AddressList } from '../address-list.js'
import {
  type Agent,
  type AgentHandlers,
  type AgentSession,
  type ConnectFacts,
  type HeadersFacts,
  type Opinion,
  PASS,
  type RcptFacts,
} from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics } from '../agent-type.js'
import { type DnsListSettings, dnsListSchema } from './dns-list-schema.js'
import { type Inquiries, Lists, type Subject, type Verdict } from './lists.js'
import { isPublic } from './public-address.js'
import { originOf } from './received-origin.js'
import { replyText } from './reply-text.js'

type Needs = Pick<AgentNeeds, 'resolver' | 'wheel' | 'clock' | 'log'>

const EXEMPT: Opinion = { kind: 'exempt' }
/** Instead of a greeting (RFC 5321 section 3.1). */
const NO_SERVICE = 554

/** What the sessions of one agent share. */
interface Shared {
  readonly settings: DnsListSettings
  readonly lists: Lists
  readonly excepted: AddressList
  readonly log: Log
}

function make(settings: DnsListSettings, needs: Needs): Agent {
  const shared: Shared = {
    settings,
    lists: new Lists(settings, needs),
    excepted: new AddressList(settings.exceptRecipients),
    log: needs.log,
  }
  return {
    name: 'dns-list',
    antiSpam: true,
    ...agentBasics(settings),
    // Each inquiry has the deadline: what other lists have said until then counts.
    deadline: undefined,
    open: (session) => new Check(shared, session).handlers(),
  }
}

/**
 * The lists for one client. Its address is asked about as soon as it is there, domains at a recipient only: who speaks of many
 * domains makes no more questions than it has recipients.
 */
class Check {
  readonly #shared: Shared
  readonly #session: AgentSession
  readonly #isRelayed: boolean
  readonly #inquiries: Inquiries = {}
  #isTold = false

  constructor(shared: Shared, session: AgentSession) {
    this.#shared = shared
    this.#session = session
    this.#isRelayed = shared.settings.internalServers.contains(session.peer.address)
  }

  /** Only those that are needed: others would make sessions wait for nothing. */
  handlers(): AgentHandlers {
    const areOfClients = this.#shared.lists.areOf('client')
    return {
      ...(areOfClients && !this.#isRelayed ? { connect: (facts) => this.#connect(facts) } : {}),
      rcpt: (facts) => this.#rcpt(facts),
      ...(areOfClients && this.#isRelayed ? { headers: (facts) => this.#headers(facts) } : {}),
      end: () => this.#end(),
    }
  }

  /** Who may turn out to be allowed is waited for: the agents behind are not to be asked. */
  #connect({ greeting }: ConnectFacts): Opinion | Promise<Opinion> {
    const { peer, isProxy } = this.#session
    const { settings, lists } = this.#shared
    // A proxy brings others' clients, and has not said yet whom it speaks for.
    if ((isProxy && greeting) || !isPublic(peer.address)) return PASS
    this.#inquire('client', peer.address)
    if (settings.when === 'connect') return this.#admission()
    return lists.canExempt ? this.#exemption() : PASS
  }

  async #exemption(): Promise<Opinion> {
    const { client } = this.#inquiries
    const { listed } = await this.#shared.lists.verdict({ client })
    return listed?.provider.settings.kind === 'allow' ? EXEMPT : PASS
  }

  async #admission(): Promise<Opinion> {
    const verdict = await this.#verdictOfClient()
    if (verdict.listed?.provider.settings.kind === 'allow') return EXEMPT
    const opinion = this.#opinionOf(verdict)
    return opinion.kind === 'against'
      ? { ...opinion, reply: { ...opinion.reply, code: NO_SERVICE }, close: true }
      : opinion
  }

  /** What lists say of an address, of which nothing is left for the recipients. */
  async #verdictOfClient(): Promise<Verdict> {
    const { client } = this.#inquiries
    const verdict = await this.#shared.lists.verdict({ client })
    this.#inquire('client', undefined)
    return verdict
  }

  #inquire(of: Subject, subject: string | undefined): void {
    this.#inquiries[of]?.[Symbol.dispose]()
    this.#inquiries[of] = subject === undefined ? undefined : this.#shared.lists.inquire(of, subject)
    this.#isTold = false
  }

  #rcpt({ sender, recipient }: RcptFacts): Opinion | Promise<Opinion> {
    if (this.#shared.excepted.holds(recipient)) return PASS
    this.#about('helo', this.#isRelayed ? undefined : this.#session.hello?.domain)
    this.#about('sender', sender?.domain)
    const isAsked = Object.values(this.#inquiries).some((inquiry) => inquiry !== undefined)
    return isAsked ? this.#outcome() : PASS
  }

  #about(of: Subject, subject: string | undefined): void {
    if (this.#shared.lists.areOf(of) && this.#inquiries[of]?.subject !== subject) this.#inquire(of, subject)
  }

  async #outcome(): Promise<Opinion> {
    return this.#opinionOf(await this.#shared.lists.verdict(this.#inquiries))
  }

  /** Of what a server of the site brings, which may be of others in the next message: nobody is exempt for longer. */
  async #headers({ fields, envelope }: HeadersFacts): Promise<Opinion> {
    const { settings, excepted } = this.#shared
    if (envelope.recipients.every((recipient) => excepted.holds(recipient))) return PASS
    const origin = originOf(fields, settings.internalServers)
    if (origin === undefined) return PASS
    this.#inquire('client', origin)
    return this.#opinionOf(await this.#verdictOfClient())
  }

  /** Throws where nothing is found because somebody has not answered: what then holds is said by `whenAway`. */
  #opinionOf({ listed, missing }: Verdict): Opinion {
    const { settings, log } = this.#shared
    if (listed === undefined) {
      if (missing.length === 0 || (this.#isTold && settings.whenAway === 'pass')) return PASS
      this.#isTold = true
      throw new Error(`no answer from ${missing.join(', ')}`)
    }
    if (missing.length > 0 && !this.#isTold)
      log.warn('DNS lists gave no answer', { session: this.#session.id, lists: missing })
    this.#isTold = true
    return listed.provider.settings.kind === 'allow' ? PASS : against(listed, this.#session)
  }

  #end(): void {
    for (const inquiry of Object.values(this.#inquiries)) inquiry?.[Symbol.dispose]()
  }
}

function against({ provider, subject, answer, text }: NonNullable<Verdict['listed']>, session: AgentSession): Opinion {
  const { zone, reply, scl, of } = provider.settings
  const ip = of === 'client' ? subject : session.peer.address
  return {
    kind: 'against',
    reply: say(550, '5.7.1', replyText(reply, { subject, ip, zone, answer, text })),
    reason: replyText('%SUBJECT% is listed at %ZONE% as %ANSWER%', { subject, ip, zone, answer, text: '' }),
    ...(scl === undefined ? {} : { notes: { scl } }),
  }
}

/** The agent type `dns-list`. */
export const dnsList: AgentType<DnsListSettings> = { type: 'dns-list', priority: 12, schema: dnsListSchema, make }

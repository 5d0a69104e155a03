// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { MethodResult } from '../../message/trace.js'
import { type Reply, say } from '../../replies.js'
import { AddressList } from '../address-list.js'
import { type Agent, type AgentHandlers, type AgentSession, type Opinion, PASS } from '../agent.js'
import { type AgentNeeds, type AgentType, agentBasics } from '../agent-type.js'
import { faultsOfName, type HelloFault } from './hello-faults.js'
import { lookUpName } from './hello-lookups.js'
import { type HeloSettings, heloSchema } from './helo-schema.js'
import { type Iprev, iprevOf } from './iprev.js'

const SWITCHES: Readonly<Record<HelloFault, keyof HeloSettings>> = {
  'own-name': 'ownName',
  'bad-syntax': 'badSyntax',
  'bare-address': 'bareAddress',
  'no-dot': 'noDot',
  'foreign-literal': 'foreignLiteral',
  unresolvable: 'unresolvable',
  'other-address': 'otherAddress',
  'no-reverse-name': 'noReverseName',
  'false-reverse-name': 'falseReverseName',
}

/** What nobody finds without the DNS. */
const LOOKED_UP: readonly HelloFault[] = ['unresolvable', 'other-address', 'no-reverse-name', 'false-reverse-name']

/** The words tell whoever runs the client what to mend. RFC 7372 section 3 has the code of the last two. */
const REPLIES: Readonly<Record<HelloFault, Reply>> = {
  'own-name': say(550, '5.7.1', 'You are not who your HELO or EHLO says'),
  'bad-syntax': say(550, '5.5.2', 'The name in your HELO or EHLO is not valid'),
  'bare-address': say(550, '5.5.2', 'An address in HELO or EHLO needs brackets'),
  'no-dot': say(550, '5.5.2', 'The name in your HELO or EHLO has to be fully qualified'),
  'foreign-literal': say(550, '5.7.1', 'The address in your HELO or EHLO is not yours'),
  unresolvable: say(550, '5.7.1', 'The name in your HELO or EHLO does not exist'),
  'other-address': say(550, '5.7.1', 'The name in your HELO or EHLO is not that of your address'),
  'no-reverse-name': say(550, '5.7.25', 'Your address has no name in the DNS'),
  'false-reverse-name': say(550, '5.7.25', 'The name of your address does not lead back to it'),
}

interface Site {
  readonly settings: HeloSettings
  readonly needs: Pick<AgentNeeds, 'hostname' | 'domains' | 'resolver'>
  readonly ownNames: ReadonlySet<string>
  readonly excepted: AddressList
}

function make(settings: HeloSettings, needs: Site['needs']): Agent {
  const ownNames = new Set([needs.hostname.toLowerCase(), ...needs.domains])
  const site: Site = { settings, needs, ownNames, excepted: new AddressList(settings.exceptRecipients) }
  return {
    name: 'helo',
    antiSpam: true,
    ...agentBasics(settings),
    open: (session) => handlersFor(session, site),
  }
}

function handlersFor(session: AgentSession, site: Site): AgentHandlers {
  const { settings, excepted } = site
  const lookups = new Lookups(session, site)
  let fault: HelloFault | undefined
  let isOurProxy = false
  const asksDns = LOOKED_UP.some((one) => settings[SWITCHES[one]] === true)
  return {
    connect({ greeting }) {
      // The site's own proxies say for themselves what they like.
      isOurProxy = session.isProxy && greeting
      return PASS
    },
    ehlo({ domain }) {
      fault = faultsOfName(domain, factsOf(session, site)).find((one) => settings[SWITCHES[one]] === true)
      lookups.forget()
      return PASS
    },
    rcpt({ recipient }, signal) {
      if (isOurProxy || excepted.holds(recipient)) return PASS
      return fault === undefined && asksDns ? lookups.fault(signal).then(opinionOf) : opinionOf(fault)
    },
    // Whoever wants to hear of header sections has them held.
    ...(settings.iprev
      ? {
          async headers(_facts: unknown, signal: Cancellation): Promise<Opinion> {
            const results = isOurProxy ? [] : await lookups.results(signal)
            return results.length === 0 ? PASS : { kind: 'pass', notes: { results } }
          },
        }
      : {}),
  }
}

function opinionOf(fault: HelloFault | undefined): Opinion {
  return fault === undefined ? PASS : { kind: 'against', reply: REPLIES[fault], reason: fault.replaceAll('-', ' ') }
}

function factsOf(session: AgentSession, { ownNames }: Site) {
  const { peer, local } = session
  return {
    ownNames,
    ownAddress: local.family === 'unix' ? undefined : local.address,
    client: peer.family === 'unix' ? undefined : peer.address,
  }
}

/** What the DNS says of one client: asked when it is needed, and once. */
class Lookups {
  readonly #session: AgentSession
  readonly #site: Site
  #name: HelloFault | 'fine' | undefined
  #iprev: Iprev | undefined

  constructor(session: AgentSession, site: Site) {
    this.#session = session
    this.#site = site
  }

  /** The client calls itself otherwise. */
  forget(): void {
    this.#name = undefined
  }

  /** Rejects when the DNS does not answer. */
  async fault(signal: Cancellation): Promise<HelloFault | undefined> {
    const { settings } = this.#site
    if (settings.unresolvable || settings.otherAddress) {
      const name = await this.#nameFault(signal)
      if (name !== 'fine' && settings[SWITCHES[name]] === true) return name
    }
    if (!settings.noReverseName && !settings.falseReverseName) return undefined
    const iprev = await this.#reverse(signal)
    if (iprev?.result === 'temperror') throw new Error('the DNS did not answer about the address of the client')
    if (iprev?.result === 'permerror' && settings.noReverseName) return 'no-reverse-name'
    return iprev?.result === 'fail' && settings.falseReverseName ? 'false-reverse-name' : undefined
  }

  /** For Authentication-Results (RFC 8601 section 2.7.3). */
  async results(signal: Cancellation): Promise<readonly MethodResult[]> {
    const iprev = await this.#reverse(signal)
    if (iprev === undefined) return []
    return [
      {
        method: 'iprev',
        result: iprev.result,
        ...(iprev.result === 'pass' ? { comment: iprev.name } : {}),
        properties: [['policy.iprev', this.#session.peer.address]],
      },
    ]
  }

  async #nameFault(signal: Cancellation): Promise<HelloFault | 'fine'> {
    if (this.#name !== undefined) return this.#name
    const { peer, hello } = this.#session
    if (hello === undefined || peer.family === 'unix') return 'fine'
    const found = await lookUpName(hello.domain, peer.address, this.#site.needs.resolver, signal)
    if (found === 'unknown') throw new Error('the DNS did not answer about the name behind EHLO')
    this.#name = found ?? 'fine'
    return this.#name
  }

  async #reverse(signal: Cancellation): Promise<Iprev | undefined> {
    const { peer } = this.#session
    if (peer.family === 'unix') return undefined
    if (this.#iprev === undefined || this.#iprev.result === 'temperror')
      this.#iprev = await iprevOf(peer.address, this.#site.needs.resolver, signal)
    return this.#iprev
  }
}

/** The agent type `helo`. */
export const helo: AgentType<HeloSettings> = { type: 'helo', priority: 16, schema: heloSchema, make }

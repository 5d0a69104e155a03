// SPDX-License-Identifier: MIT
import type { Cancellation, Clock } from '@portico/base'
import type { Mailbox } from '../../address.js'
import type { SpooledMessage } from '../../message/spool.js'
import type { AgentSession, DataEndFacts } from '../agent.js'
import type { AgentNeeds } from '../agent-type.js'
import type { DnsResolver } from '../dns/dns-resolver.js'
import { DmarcDomains } from './dmarc-domains.js'
import { type SignatureVerdicts, verifySignatures } from './signatures.js'
import { judgeSpf, type SpfVerdict } from './spf.js'

/** What is known of a session beyond one event. */
interface Known {
  spf?: { readonly about: string; readonly verdict: Promise<SpfVerdict>; unsure: boolean }
  readonly trusted: Set<string>
}

/** What the agents of one configuration find out together, each thing once, whoever of them asks first. */
export class Authentication {
  readonly #resolver: DnsResolver
  readonly #clock: Clock
  readonly #sessions = new WeakMap<AgentSession, Known>()
  readonly #messages = new WeakMap<SpooledMessage, Promise<SignatureVerdicts>>()

  constructor({ resolver, clock }: Pick<AgentNeeds, 'resolver' | 'clock'>) {
    this.#resolver = resolver
    this.#clock = clock
  }

  /** Rejects where the evaluation fails. `anew`: what nobody could find out before is tried once more. */
  async spf(
    session: AgentSession,
    sender: Mailbox | undefined,
    signal: Cancellation,
    { anew }: { readonly anew: boolean },
  ): Promise<SpfVerdict> {
    const known = this.#known(session)
    const about = JSON.stringify([sender?.text, session.hello?.domain, session.peer])
    if (known.spf?.about !== about || (anew && known.spf.unsure)) {
      const verdict = judgeSpf(session, sender, this.#resolver, signal)
      known.spf = { about, verdict, unsure: true }
    }
    const check = known.spf
    const verdict = await check.verdict
    check.unsure = verdict.result === 'temperror'
    return verdict
  }

  /** A message of a session is over: what nobody could find out about its sender may be known for the next one. */
  concluded(session: AgentSession): void {
    const known = this.#known(session)
    if (known.spf?.unsure === true) delete known.spf
  }

  /** Rejects when the disk failed. */
  signatures(facts: DataEndFacts, signal: Cancellation): Promise<SignatureVerdicts> {
    const known = this.#messages.get(facts.message)
    if (known !== undefined) return known
    const verdicts = verifySignatures(facts, { resolver: this.#resolver, signal, now: this.#clock.now() })
    this.#messages.set(facts.message, verdicts)
    return verdicts
  }

  /** For one message. */
  domains(signal: Cancellation): DmarcDomains {
    return new DmarcDomains(this.#resolver, signal)
  }

  /** Whose seals count in a session. */
  trust(session: AgentSession, sealers: readonly string[]): void {
    const { trusted } = this.#known(session)
    for (const sealer of sealers) trusted.add(sealer)
  }

  trusts(session: AgentSession, sealer: string): boolean {
    return this.#known(session).trusted.has(sealer)
  }

  #known(session: AgentSession): Known {
    const known = this.#sessions.get(session) ?? { trusted: new Set() }
    this.#sessions.set(session, known)
    return known
  }
}

const made = new WeakMap<DnsResolver, Authentication>()

/** The one of a configuration, which has one resolver. */
export function authenticationOf(needs: Pick<AgentNeeds, 'resolver' | 'clock'>): Authentication {
  const authentication = made.get(needs.resolver) ?? new Authentication(needs)
  made.set(needs.resolver, authentication)
  return authentication
}

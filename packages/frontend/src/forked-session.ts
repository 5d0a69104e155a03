// SPDX-License-Identifier: MIT
import { CancellationSource } from '@portico/base'
import type { Leg, LegFacts } from '@portico/net'
import type { Session } from '@portico/session'
import { SessionRecord } from '@portico/telemetry'
import { SilentLeg } from './silent-leg.js'
import { speakFor } from './speaks-for.js'

/** One of several things that a client does at the same time on one connection: see {@link Session.fork}. */
export class ForkedSession implements Session {
  readonly id: Session['id']
  readonly protocol: Session['protocol']
  readonly listener: Session['listener']
  readonly services: Session['services']
  readonly isProxy: boolean
  readonly leg: Leg
  networks: readonly string[]
  readonly signal = new CancellationSource()
  readonly record: SessionRecord
  hops = 0
  onDrain: (() => void) | undefined = undefined
  readonly #whole: Session
  readonly #networksOf: (address: string) => readonly string[]
  readonly #ends: Pick<LegFacts, 'peer' | 'local'>

  constructor(
    whole: Session,
    networksOf: (address: string) => readonly string[],
    ends: Pick<LegFacts, 'peer' | 'local'>,
  ) {
    this.id = whole.id
    this.protocol = whole.protocol
    this.listener = whole.listener
    this.services = whole.services
    this.isProxy = whole.isProxy
    this.networks = whole.networks
    this.leg = new SilentLeg(whole.leg)
    this.record = new SessionRecord({
      id: whole.id,
      protocol: whole.protocol,
      listener: whole.listener.name,
      client: ends.peer,
      networks: whole.networks,
      clock: whole.services.clock,
    })
    this.#whole = whole
    this.#networksOf = networksOf
    this.#ends = ends
  }

  get draining(): boolean {
    return this.#whole.draining
  }

  speaksFor(client: Parameters<Session['speaksFor']>[0]): void {
    speakFor(this, client, this.#ends, this.#networksOf)
  }

  fork(): Session {
    return this.#whole.fork()
  }
}

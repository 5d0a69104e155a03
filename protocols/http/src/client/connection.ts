// SPDX-License-Identifier: MIT
import type { AuthContext } from '@portico/auth'
import { authContextOf, type Session } from '@portico/session'
import type { ProfileSigner } from '../autodiscover/mobileconfig-signature.js'
import { readProfileSigner } from '../autodiscover/profile-signer.js'
import type { HeadLimits } from '../codec/head.js'
import { type DirectoryTable, directoryTable } from '../directory/directories.js'
import type { HttpSettings } from '../schema.js'
import { Binding } from '../sign-in/binding.js'
import { SignedIn } from '../sign-in/signed-in.js'
import type { ClientExchange } from './client-exchange.js'

/** What is derived from the settings once. */
export interface Prepared {
  readonly settings: HttpSettings
  readonly table: DirectoryTable
  readonly limits: HeadLimits
  /** Who signs the profiles for Apple's devices. */
  readonly profileSigner: ProfileSigner | undefined
}

const prepared = new WeakMap<HttpSettings, Prepared>()

/** Derives it, once for each configuration. */
export function prepare(settings: HttpSettings): Prepared {
  const known = prepared.get(settings)
  if (known !== undefined) return known
  const { maxHead: head, maxTarget: target, maxFields: fields, profileSigner: pem } = settings
  const table = directoryTable(settings.directories)
  const profileSigner = pem === undefined ? undefined : readProfileSigner(pem)
  const made = { settings, table, limits: { head, target, fields }, profileSigner }
  prepared.set(settings, made)
  return made
}

/** What all requests of one connection have in common, also those of HTTP/2 that run at the same time. */
export class Shared {
  readonly prepared: Prepared
  readonly signedIn: SignedIn
  readonly binding: Binding
  /** Who speaks to us, whomever it speaks for. */
  readonly peer: string
  /** Failed sign-ins since the last good one. */
  failures = 0
  /** A request of somebody who has signed in was answered by a backend: the client's time is no longer that of strangers. */
  admitted = false
  /** It is the connection of somebody's proxy, as one of its requests has said: others may come by it too. */
  relayed = false
  /** The device that was told of last in the log. */
  device: string | undefined

  constructor(session: Session, made: Prepared) {
    this.peer = session.leg.facts.peer.address
    this.prepared = made
    this.signedIn = new SignedIn(session.services.clock)
    this.binding = new Binding(session.services.clock)
  }
}

/**
 * A client connection as a request sees it. In HTTP/1.1 one serves all requests, one after the other. In HTTP/2 each stream has
 * its own, with a session of its own (signal, record, hops, and whom a proxy speaks for), and they share the rest.
 */
export class Connection {
  readonly session: Session
  readonly client: ClientExchange
  readonly shared: Shared
  #context: AuthContext | undefined

  constructor(session: Session, client: ClientExchange, shared: Shared) {
    this.session = session
    this.client = client
    this.shared = shared
  }

  get prepared(): Prepared {
    return this.shared.prepared
  }

  get signedIn(): SignedIn {
    return this.shared.signedIn
  }

  get peer(): string {
    return this.shared.peer
  }

  get failures(): number {
    return this.shared.failures
  }

  set failures(count: number) {
    this.shared.failures = count
  }

  /** What the auth core is told; made anew when a sign-in has failed, and for another client. */
  get context(): AuthContext {
    const { peer } = this.session.leg.facts
    const known = this.#context
    if (known?.failures === this.failures && known.client.peer === peer) return known
    this.#context = authContextOf(this.session, this.failures)
    return this.#context
  }

  /** Whether a new request may be served at all. */
  get active(): boolean {
    return !this.session.draining && this.serves(this.session.protocol)
  }

  /** Whether a component, the protocol itself or that of a directory, is active. */
  serves(component: string): boolean {
    return (this.session.services.states().get(component) ?? 'active') === 'active'
  }
}

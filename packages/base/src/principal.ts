// SPDX-License-Identifier: MIT
import type { ProtocolName } from './backend.js'
import type { Endpoint } from './endpoint.js'
import type { Secret } from './secret.js'

/** How much a proof is worth, weakest first. `plain`: the secret itself was shown; `proof`: only knowledge of it. */
export type Strength = 'none' | 'plain' | 'proof' | 'token' | 'certificate'

/** What the principal can prove to a backend. Without any of it only a trusted identity (master user, header, XCLIENT) will do. */
export interface Proof {
  readonly password?: Secret<string>
  readonly token?: Secret<string>
}

/** What a credential source found out about the route while it was at it. Consumed by the locator whose `source` is the same. */
export interface OpaqueRoute {
  readonly source: string
  readonly value: unknown
}

/** The result of authentication. */
export interface Principal {
  /** Who proved. */
  readonly authcid: string
  /** Whom they act for: the canonical name that routing, limits and logs use. */
  readonly user: string
  /** Canonical name of the account that has proved, where that is not `user`: somebody who acts for somebody else. */
  readonly delegate?: string
  /** SASL mechanism name; `USER` for IMAP4's LOGIN and POP3's USER with PASS, `BASIC` for HTTP's Basic. */
  readonly mechanism: string
  readonly strength: Strength
  readonly proof: Proof
  /** Name of the credential source that answered. */
  readonly source: string
  /** Changes when the account's credentials change, so that what was derived from the old ones can be told apart. */
  readonly epoch: string
  /** Fields of the account record (`group`, `host`, `mail` …), as the source has them. */
  readonly fields: ReadonlyMap<string, string>
  readonly route?: OpaqueRoute
}

/** Whether somebody acts for somebody else. One account has many spellings, so that names that differ do not say it. */
export function actsForAnother(principal: Pick<Principal, 'delegate'>): principal is { readonly delegate: string } {
  return principal.delegate !== undefined
}

/** A client that sends mail without sign-in. */
export interface Asker {
  readonly client: Endpoint
  /** As the client gave them, one character for each octet: its name, and the sender without angle brackets, empty for nobody. */
  readonly helo: string
  readonly sender: string
}

/** Nobody proved anything, but a route is asked for: an inbound recipient. */
export interface EmailAddress {
  readonly kind: 'address'
  readonly local: string
  /** Lower case; empty for a bare local part. */
  readonly domain: string
  /** By which protocol the mailbox is to be reached; SMTP when absent. */
  readonly protocol?: ProtocolName
  /** Who asks: services that are asked for the route may want to know. */
  readonly asker?: Asker
}

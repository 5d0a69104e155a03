// SPDX-License-Identifier: MIT
import type { Backend, MailboxLocation, ProtocolName, RefusalReason } from '@portico/base'
import type { SiteView } from './sites.js'

/** The routing core: pure. The same question always gets the same answer. */
export interface Router {
  decide(question: RouteQuestion): Decision
  /** Each redirection that it may ever say in a protocol: some have to announce them. */
  redirections(protocol: ProtocolName): readonly Redirection[]
  /**
   * Where a backend sends a login that it does not want itself. The host comes from the wire, so it only ever chooses among the
   * configured endpoints, whose own group's rules then hold; of the same group first.
   */
  follow(referral: Referral): Decision
  /** The site of a mailbox, by its group; the own one for a group that does not say. */
  siteOf(location: Pick<MailboxLocation, 'group'>): SiteView
}

/** A backend's redirection during login. */
export interface Referral {
  readonly protocol: ProtocolName
  /** The group that the backend belongs to. */
  readonly group: string
  readonly host: string
  /** Any endpoint of the host when absent. */
  readonly port: number | undefined
  readonly states: ComponentStates
  /** Proxies that the session has passed, the redirecting backend among them. */
  readonly hops: number
}

export interface RouteQuestion {
  readonly location: MailboxLocation
  readonly protocol: ProtocolName
  /**
   * A protocol that the mailbox is rather reached by than by the session's own (LMTP for delivery by SMTP). Its endpoints are the
   * candidates where there are any: of a pinned host those at that host. An endpoint that a lookup gave was asked for in the
   * session's protocol and speaks that, unless the group lists it under the preferred one or has nothing else.
   */
  readonly prefer?: ProtocolName | undefined
  /** Names of the client's networks. */
  readonly networks: readonly string[]
  readonly states: ComponentStates
  /** How many proxies the session has passed already. */
  readonly hops: number
  /** Who asks. Absent for who has not proved who they are, or has no place to go to: nobody's site sends them away. */
  readonly client?: RouteClient | undefined
  /** Spreads users over the endpoints of a group, stable for one user: usually the canonical user name. */
  readonly spreadKey: string
}

/** What tells whether a client follows a redirection to another site, and how safely. */
export interface RouteClient {
  /** Of HTTP: people with a browser, devices, programs that look for their settings. Absent for all others. */
  readonly kind?: ClientKind
  /** The client's own connection is encrypted. */
  readonly encrypted: boolean
}

export const CLIENT_KINDS = ['web-mail', 'activesync', 'autodiscover'] as const
export type ClientKind = (typeof CLIENT_KINDS)[number]

/** Component state of each service of this node; absent means active. */
export type ComponentStates = ReadonlyMap<ProtocolName, 'active' | 'draining' | 'inactive'>

export type Decision =
  | { readonly kind: 'proxy'; readonly candidates: readonly [Backend, ...Backend[]] }
  | Redirection
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }

/** The users of this group are sent to another name. Only for who has proved who they are. */
export interface Redirection {
  readonly kind: 'redirect'
  /**
   * `silent`, `manual`: a browser goes on by itself, or by a link; `device`: ActiveSync's own word; `autodiscover`: what that has;
   * `same-request`: whatever it is, it is to be asked there; `referral`: of IMAP4 (RFC 2221).
   */
  readonly how: 'silent' | 'manual' | 'device' | 'autodiscover' | 'same-request' | 'referral'
  /** `host[:port]`; for HTTP a URL without a path, or a host alone. */
  readonly to: string
}

/** More hops than this is a loop between proxies. */
export const MAX_HOPS = 5

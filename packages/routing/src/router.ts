// SPDX-License-Identifier: MIT
import type { Backend, MailboxLocation, ProtocolName, RefusalReason } from '@portico/base'

/** The routing core: pure. The same question always gets the same answer. */
export interface Router {
  decide(question: RouteQuestion): Decision
  /** Whether it may ever say `redirect` in a protocol, which some have to announce. */
  redirects(protocol: ProtocolName): boolean
}

export interface RouteQuestion {
  readonly location: MailboxLocation
  readonly protocol: ProtocolName
  /** Names of the client's networks. */
  readonly networks: readonly string[]
  readonly states: ComponentStates
  /** How many proxies the session has passed already. */
  readonly hops: number
  /** Spreads users over the endpoints of a group, stable for one user: usually the canonical user name. */
  readonly spreadKey: string
}

/** Component state of each service of this node; absent means active. */
export type ComponentStates = ReadonlyMap<ProtocolName, 'active' | 'draining' | 'inactive'>

export type Decision =
  | { readonly kind: 'proxy'; readonly candidates: readonly [Backend, ...Backend[]] }
  /** The site sends the users of this group to another name: `host[:port]`, or a URL for HTTP. Only for who has proved who they are. */
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }

/** More hops than this is a loop between proxies. */
export const MAX_HOPS = 5

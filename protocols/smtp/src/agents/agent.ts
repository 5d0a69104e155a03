// SPDX-License-Identifier: MIT
import type { Cancellation, Endpoint } from '@portico/base'
import type { TlsFacts } from '@portico/net'
import type { Mailbox } from '../address.js'
import type { HeaderEdits, HeaderFields } from '../message/header-fields.js'
import type { SpooledMessage } from '../message/spool.js'
import type { Reply } from '../replies.js'

/**
 * The moments of a session at which agents are asked, in their order: before the greeting, at EHLO or HELO, at MAIL, at RCPT, at the
 * end of the header section and at the end of the message. No agent hears of a command that is refused without it.
 */
export type AgentEvent = 'connect' | 'ehlo' | 'mail' | 'rcpt' | 'headers' | 'dataEnd'

/** What an agent may know of a session. Each property tells the state of the moment. */
export interface AgentSession {
  /** In every log line, and told to backends. */
  readonly id: string
  /** The client, as a trusted proxy reported it. */
  readonly peer: Endpoint
  readonly local: Endpoint
  readonly tls: TlsFacts | undefined
  /** Names of the configured networks that hold the client. */
  readonly networks: readonly string[]
  /** The client is one of the site's proxies, which may say whom it speaks for. */
  readonly isProxy: boolean
  /** Name of the connector by which it came in. */
  readonly connector: string
  /** Our own name. */
  readonly hostname: string
  /** Undefined before EHLO. */
  readonly hello: HelloFacts | undefined
  /** Who has signed in; undefined while nobody has. */
  readonly user: string | undefined
  /** It is the connector's and the client's right not to be asked by anti-spam agents. */
  readonly bypassesAntiSpam: boolean
  /**
   * Waits until the client has sent something that nobody has read yet, which stays unread. `cancelled`: the signal came first.
   * Only at `connect`: nothing else reads meanwhile.
   */
  input(signal: Cancellation): Promise<'input' | 'gone' | 'cancelled'>
}

/** A connection has come in. */
export interface ConnectFacts {
  /** We are about to greet. False: a proxy, which has been greeted long ago, has just told whom it speaks for. */
  readonly greeting: boolean
}

/** EHLO or HELO (RFC 5321 section 4.1.1.1), or LHLO where we speak LMTP. */
export interface HelloFacts {
  readonly kind: 'ehlo' | 'helo' | 'lhlo'
  /** A domain or an address literal; the client's own word. */
  readonly domain: string
}

/** MAIL (RFC 5321 section 4.1.1.2). An undefined sender is the null reverse-path. */
export interface MailFacts {
  readonly sender: Mailbox | undefined
  /** Keywords in upper case. */
  readonly parameters: ReadonlyMap<string, string | undefined>
}

/** RCPT (RFC 5321 section 4.1.1.3), before its backend is asked. */
export interface RcptFacts {
  readonly sender: Mailbox | undefined
  readonly recipient: Mailbox
  readonly parameters: ReadonlyMap<string, string | undefined>
  /** How many recipients of this message have been accepted before. */
  readonly accepted: number
}

/** Whom a message is from and for, as the client said. */
export interface EnvelopeFacts {
  /** Undefined for the null reverse-path. */
  readonly sender: Mailbox | undefined
  /** Those that were accepted. */
  readonly recipients: readonly Mailbox[]
}

/** The header section is here, and nothing of the message has gone to a backend. */
export interface HeadersFacts {
  readonly envelope: EnvelopeFacts
  /** As they came: what the header firewall takes out is still among them. */
  readonly fields: HeaderFields
}

/** The whole message is here, and nothing of it has gone to a backend. */
export interface DataEndFacts extends HeadersFacts {
  /** As it came, without our own trace field; it lives until the agent has answered or its signal says to stop. */
  readonly message: SpooledMessage
}

/** What each event tells. */
export interface EventFacts {
  readonly connect: ConnectFacts
  readonly ehlo: HelloFacts
  readonly mail: MailFacts
  readonly rcpt: RcptFacts
  readonly headers: HeadersFacts
  readonly dataEnd: DataEndFacts
}

/**
 * What an agent thinks. `pass`: nothing against it; edits count at `headers` and `dataEnd`. `exempt`: no anti-spam agent is asked
 * from here on in this session. `refuse`: the client gets the reply (400 to 599) instead of ours, and with `close` nothing else.
 */
export type Opinion =
  | { readonly kind: 'pass'; readonly edits?: HeaderEdits }
  | { readonly kind: 'exempt' }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: true }

/** Nothing against it. */
export const PASS: Opinion = { kind: 'pass' }

/** An agent's answer to one event. The signal says that nobody waits any more; an answer after it is dropped. */
export type Handler<F> = (facts: F, signal: Cancellation) => Opinion | Promise<Opinion>

/** The events that an agent wants to hear of. */
export type EventHandlers = { readonly [E in AgentEvent]?: Handler<EventFacts[E]> }

/** One agent in one session, with what it remembers between events. */
export interface AgentHandlers extends EventHandlers {
  /** The session is over, or another client has taken its place. */
  end?(): void
}

/** A check that runs at events of sessions. One for each entry of the configuration, shared by all sessions. */
export interface Agent {
  /** For logs: its type, with its name when it has one. */
  readonly name: string
  /** Not asked where the client has a right to that. */
  readonly antiSpam: boolean
  /** Milliseconds for one answer; undefined where the agent bounds its time itself. */
  readonly deadline: number | undefined
  /** What holds when it fails or overruns its deadline: as if it had nothing against it, or the client is to try again later. */
  readonly whenAway: 'pass' | 'tempfail'
  /** It says in the log what it would have done, and changes nothing. */
  readonly audit: boolean
  /** Undefined where it has no business: it is then not heard of again in this session. */
  open(session: AgentSession): AgentHandlers | undefined
}

// SPDX-License-Identifier: MIT
import type { Cancellation, Endpoint } from '@portico/base'
import type { TlsFacts } from '@portico/net'
import type { Mailbox } from '../address.js'
import type { HeaderEdits, HeaderFields } from '../message/header-fields.js'
import type { Spool, SpooledMessage } from '../message/spool.js'
import type { MethodResult } from '../message/trace.js'
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
  /** It is the connector's and the client's right to be believed that a message is a fax, a voice message and their like. */
  readonly tellsOfCalls: boolean
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
  /** What has been found of this message so far; what the agent adds itself it says in its opinion. */
  readonly notes: MessageNotes
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
 * What an agent thinks.
 *
 * - `pass`: nothing against it. Edits count at `headers` and `dataEnd`, other envelopes and bodies at `dataEnd`.
 * - `exempt`: no anti-spam agent is asked from here on in this session.
 * - `against`: what becomes of that is the agent's {@link Action}. `reply` (400 to 599) is said where it is rejected, `reason` is for
 *   marks and the log: one line, nothing secret. Edits count where the message goes on all the same.
 * - `refuse`: the client gets the reply (400 to 599) instead of ours whatever the action is, and with `close` nothing else.
 * - `discard`: only at `dataEnd`. The client is told that all is well and nobody gets the message, because the site wrote so.
 */
export type Opinion =
  | Pass
  | { readonly kind: 'exempt' }
  | {
      readonly kind: 'against'
      readonly reply: Reply
      readonly reason: string
      /** Instead of the agent's own, where its settings have several. */
      readonly action?: Action
      readonly close?: true
      readonly notes?: Notes
      readonly edits?: HeaderEdits
    }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: true }
  | { readonly kind: 'discard'; readonly reason: string }

export interface Pass {
  readonly kind: 'pass'
  readonly edits?: HeaderEdits
  readonly notes?: Notes
  readonly envelope?: EnvelopeEdits
  readonly rewrite?: Rewrite
}

/** What is to become of a finding against somebody; an address is that of the mailbox where such messages are kept instead. */
export type Action = 'reject' | 'tempfail' | 'tag' | { readonly quarantine: string }

/** What an agent has found out about a message. */
export interface Notes {
  /** Spam confidence level, -1 to 9: how much it looks like spam, -1 where that is out of the question. The highest word of all agents counts. */
  readonly scl?: number
  /** Holds whatever anybody has said before. */
  readonly setScl?: number
  /** For the Authentication-Results field (RFC 8601). */
  readonly results?: readonly MethodResult[]
  /** What kind of message it is: `fax`, `voice` … */
  readonly types?: readonly string[]
}

/** What all agents together have found out about a message so far. */
export interface MessageNotes {
  /** Undefined where nobody has said anything. */
  readonly scl: number | undefined
  readonly results: readonly MethodResult[]
  readonly types: ReadonlySet<string>
  readonly findings: readonly Finding[]
}

/** A finding against a client or a message, as other agents hear of it. */
export interface Finding {
  /** Name of the agent that found it. */
  readonly agent: string
  readonly event: AgentEvent
  readonly reason: string
  /** The client was refused for good; else it was put off, or the message goes on. */
  readonly refused: boolean
}

/** Whom a message is to go to beside or instead of its recipients. Nobody of them is told to the client. */
export interface EnvelopeEdits {
  /** Get it, too. */
  readonly add?: readonly Mailbox[]
  /** Get it instead of all others. */
  readonly redirect?: readonly Mailbox[]
  /** Of the recipients: do not get it. */
  readonly drop?: readonly Mailbox[]
}

/** A message as the one before in the row of rewriters has left it. */
export interface Rewritable {
  readonly section: Buffer
  readonly fields: HeaderFields
  /** Header section and body. */
  readonly message: SpooledMessage
}

/** What a rewriter makes: edits of the header section, and all that stands behind its empty line. */
export interface Rewritten {
  readonly edits?: HeaderEdits
  readonly body: SpooledMessage
}

/**
 * Makes another body. Called when all agents have let the message go, one rewriter after another. `create` gives an empty place to
 * write it to, which is disposed of with the message. A rejection or an undefined answer puts the message off (451).
 */
export type Rewrite = (from: Rewritable, create: () => Spool, signal: Cancellation) => Promise<Rewritten | undefined>

/** Nothing against it. */
export const PASS: Pass = { kind: 'pass' }

/** An agent's answer to one event. The signal says that nobody waits any more; an answer after it is dropped. */
export type Handler<F> = (facts: F, signal: Cancellation) => Opinion | Promise<Opinion>

/** The events that an agent wants to hear of. It is looked up at each event: who has signed in may be another matter than who has not. */
export type EventHandlers = { readonly [E in AgentEvent]?: Handler<EventFacts[E]> | undefined }

/** One agent in one session, with what it remembers between events. */
export interface AgentHandlers extends EventHandlers {
  /** Another agent has found something; at once, and never of this agent's own. It must not throw. */
  heard?(finding: Finding): void
  /** A recipient whom no agent had anything against does not exist: the client is told so. It must not throw. */
  unknown?(recipient: Mailbox): void
  /** The message was refused or has gone out; `accepted`: the backends have taken it. It must not throw. */
  concluded?(accepted: boolean, notes: MessageNotes): void
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
  /** What becomes of what it finds. */
  readonly action: Action
  /** Spam confidence level that its findings mean, where they refuse nothing; undefined: none. */
  readonly scl: number | undefined
  /** Undefined where it has no business: it is then not heard of again in this session. */
  open(session: AgentSession): AgentHandlers | undefined
}

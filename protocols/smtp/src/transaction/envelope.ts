// SPDX-License-Identifier: MIT
import { isSameMailbox, type Mailbox } from '../address.js'
import type { BackendSession } from '../backend/session.js'
import type { Reply } from '../replies.js'
import type { MailParameters, RcptParameters } from './parameters.js'
import type { Passage } from './passage.js'
import type { Way } from './way.js'

/** One backend's part of a message: a transaction there, whose MAIL was accepted. */
export interface Branch {
  readonly way: Way
  readonly backend: BackendSession
  /** Recipients that were accepted there. */
  recipients: number
  /** What its recipients are told instead of an answer to the message: it was refused there before its end. */
  refusal: Reply | undefined
}

/** A recipient that somebody has accepted. */
export interface Recipient {
  readonly mailbox: Mailbox
  readonly parameters: RcptParameters
  readonly branch: Branch
}

/** What MAIL has said and RCPT has come to. */
export interface Envelope {
  /** Undefined for the null reverse-path. */
  readonly sender: Mailbox | undefined
  readonly parameters: MailParameters
  /** Normally one: the first accepted recipient fixes the route. */
  readonly branches: Branch[]
  /** In the order in which they were accepted, which is that of the answers in LMTP (RFC 2033 section 4.2). */
  readonly recipients: Recipient[]
  /** Whom agents have the message sent to instead; nobody but the log is told. */
  readdressed: readonly Recipient[] | undefined
  /** The message vanishes, because the site wants it so. */
  discarded: boolean
  /** A backend would not have the sender: what every recipient is told. */
  refusal: Reply | undefined
  /** The message has begun to come. */
  passage: Passage | undefined
  /** A chunk was refused, and so are all that follow (RFC 3030 section 2). */
  failed: boolean
  /** When MAIL came, by the monotonic clock. */
  readonly since: number
}

/** The envelope of a MAIL that has just been accepted. */
export function newEnvelope(sender: Mailbox | undefined, parameters: MailParameters, since: number): Envelope {
  return {
    sender,
    parameters,
    branches: [],
    recipients: [],
    readdressed: undefined,
    discarded: false,
    refusal: undefined,
    passage: undefined,
    failed: false,
    since,
  }
}

/** The branches that somebody was accepted for; there is a message only where there is one. */
export function branchesOf({ branches }: Envelope): readonly [Branch, ...Branch[]] | undefined {
  const [first, ...more] = branches.filter(({ recipients }) => recipients > 0)
  return first === undefined ? undefined : [first, ...more]
}

/** Whom the message goes to. */
export function addresseesOf({ recipients, readdressed }: Envelope): readonly Recipient[] {
  return readdressed ?? recipients
}

/**
 * The branches in the order in which they get the message: `copies` are those of nobody whom the client named, where there are others
 * besides.
 */
export function inTurn(envelope: Envelope): { readonly copies: readonly Branch[]; readonly others: readonly Branch[] } {
  const branches = branchesOf(envelope) ?? []
  const isNamed = ({ mailbox }: Recipient) => envelope.recipients.some((one) => isSameMailbox(one.mailbox, mailbox))
  const named = new Set(
    addresseesOf(envelope)
      .filter(isNamed)
      .map(({ branch }) => branch),
  )
  const copies = branches.filter((branch) => !named.has(branch))
  const others = branches.filter((branch) => !copies.includes(branch))
  return others.length === 0 ? { copies: [], others: copies } : { copies, others }
}

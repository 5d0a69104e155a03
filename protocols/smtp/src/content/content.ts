// SPDX-License-Identifier: MIT

/** Bounds of what is read of one message. */
export interface ContentLimits {
  /** Parts of the message, those of messages within it among them. */
  readonly parts: number
  /** Messages within messages. */
  readonly nesting: number
  /** Octets of all header sections together, and of one. */
  readonly headers: number
  /** Octets of text parts, as they are transferred; what is behind them is not read. */
  readonly text: number
  /** Names of files inside archives, of all attachments together. */
  readonly archiveNames: number
}

const MOST_PARTS = 500
const MOST_NESTING = 5
const MOST_HEADERS = 256 * 1024
const MOST_TEXT = 1024 * 1024
const MOST_NAMES = 5_000

export const DEFAULT_CONTENT_LIMITS: ContentLimits = {
  parts: MOST_PARTS,
  nesting: MOST_NESTING,
  headers: MOST_HEADERS,
  text: MOST_TEXT,
  archiveNames: MOST_NAMES,
}

/** What kind of message it is. What only a partner can say (`voice`, `fax`) is among the notes of other agents, not here. */
export type MessageType =
  | 'auto-forward'
  | 'auto-reply'
  | 'bounce'
  | 'calendaring'
  | 'encrypted'
  | 'permission-controlled'
  | 'read-receipt'
  | 'signed'

/** A part that a reader is offered as a file, or a message within the message. */
export interface Attachment {
  /** Decoded, without folders; '' where it has none. The same file may have two names: those are two attachments of one size. */
  readonly name: string
  /** Of the name: in lower case, without its dot; '' where it has none. */
  readonly extension: string
  /** Octets, decoded; 0 where the file is written into a text. */
  readonly size: number
  /** Media type in lower case, as the message says. */
  readonly type: string
  /** Without angle brackets. */
  readonly contentId?: string
  /** Its first octets are those of a program, whatever it is called, or those of a file in Outlook's own format (TNEF) are. */
  readonly executable: boolean
  /** A zip archive in which a file is encrypted. */
  readonly passwordProtected: boolean
  /** Of a zip archive or a file of Outlook's own format (TNEF): names of the files in it, as they are written there. */
  readonly archived: readonly string[]
}

/** What a message holds. */
export interface Content {
  readonly kind: 'content'
  /** Plain text and the text of HTML of the message itself, not of messages within it. Lines end with LF. */
  readonly text: string
  /** There is more text than was read. */
  readonly truncated: boolean
  /** In their order, those of messages within it among them. */
  readonly attachments: readonly Attachment[]
  readonly types: ReadonlySet<MessageType>
}

/** It is beyond what is read of a message, or nobody waits any more. */
export interface Unreadable {
  readonly kind: 'unreadable'
  /** One line for the log. */
  readonly why: string
  /** It says nothing of the message: the disk failed, or nobody waits. */
  readonly ours?: true
}

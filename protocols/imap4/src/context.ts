// SPDX-License-Identifier: MIT
import type { ClientDialogue, Ended, Session } from '@portico/session'
import type { ImapCommand } from './parse.js'
import type { Imap4Settings } from './schema.js'

/** What the commands of one session share before sign-in. */
export interface ImapContext {
  readonly session: Session
  readonly settings: Imap4Settings
  readonly dialogue: ClientDialogue
  /** Failed sign-ins so far. */
  failures: number
}

/** What a command came to. `bad`: it was answered BAD, which is tolerated a few times only. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'ended'; readonly ended: Ended }

export type CommandHandler = (context: ImapContext, command: ImapCommand) => Promise<Outcome> | Outcome

export const DONE: Outcome = { kind: 'done' }
export const BAD: Outcome = { kind: 'bad' }

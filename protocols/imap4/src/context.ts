// SPDX-License-Identifier: MIT
import type { Outcome, PreAuth } from '@portico/session'
import type { ImapCommand } from './parse.js'
import type { Imap4Settings } from './schema.js'

/** What the commands of one session share before sign-in. */
export interface ImapContext extends PreAuth {
  readonly settings: Imap4Settings
  /** What the client's ID said of its program, to be told to the backend. */
  clientId: ReadonlyMap<string, string>
}

export type CommandHandler = (context: ImapContext, command: ImapCommand) => Promise<Outcome> | Outcome

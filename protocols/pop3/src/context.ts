// SPDX-License-Identifier: MIT
import type { Outcome, PreAuth } from '@portico/session'
import type { Pop3Command } from './parse.js'
import type { Pop3Settings } from './schema.js'

/** What the commands of one session share before sign-in. */
export interface Pop3Context extends PreAuth {
  readonly settings: Pop3Settings
  /** The name that USER gave, until PASS. */
  user: string | undefined
  /** The timestamp that APOP answers, where the greeting carried one. */
  timestamp: string | undefined
  /** What the client has asked of the mailbox server in advance. */
  readonly wishes: Wishes
}

/** Modes that the backend is to be put into before the sign-in (RFC 6856). */
export interface Wishes {
  utf8: boolean
  /** A language tag, or `*` for the server's own choice. */
  language: string | undefined
}

export type CommandHandler = (context: Pop3Context, command: Pop3Command) => Promise<Outcome> | Outcome

// SPDX-License-Identifier: MIT
import type { ClientDialogue, Ended, Session } from '@portico/session'
import type { Pop3Command } from './parse.js'
import type { Pop3Settings } from './schema.js'

/** What the commands of one session share before sign-in. */
export interface Pop3Context {
  readonly session: Session
  readonly settings: Pop3Settings
  readonly dialogue: ClientDialogue
  /** Failed sign-ins so far. */
  failures: number
  /** The name that USER gave, until PASS. */
  user: string | undefined
}

/** What a command came to. `bad`: it was no use, which is tolerated a few times only. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'ended'; readonly ended: Ended }

export type CommandHandler = (context: Pop3Context, command: Pop3Command) => Promise<Outcome> | Outcome

export const DONE: Outcome = { kind: 'done' }
export const BAD: Outcome = { kind: 'bad' }

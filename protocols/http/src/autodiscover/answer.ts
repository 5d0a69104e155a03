// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Directory } from '../directory/schema.js'
import type { Reply } from '../replies.js'
import type { Identified } from '../sign-in/sign-in.js'

/** A request for one of our own answers, with all that it brings. */
export interface Asked {
  readonly connection: Connection
  readonly request: Incoming
  readonly directory: Directory
  /** The path below the mount, or the whole path of an answer at the root: begins with a slash. */
  readonly rest: string
  /** Who asks, where that is asked for. In a deferred sign-in nothing is proved. */
  readonly signedIn: Identified | undefined
  readonly body: Buffer
}

/** What Portico answers itself at one path. */
export interface Answer {
  /** Whether the path begins at the root of the server; below the mount of the directory when absent. */
  readonly atRoot?: true
  /** Paths below it are asked for, too. */
  readonly deeper?: true
  /** Whether somebody has to have signed in. What strangers are told must not depend on who exists. */
  readonly signIn: boolean
  readonly methods: readonly string[]
  answer(asked: Asked): Reply | Promise<Reply>
}

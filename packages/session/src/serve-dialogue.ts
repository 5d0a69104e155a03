// SPDX-License-Identifier: MIT
import type { Outcome, PreAuth } from './outcome.js'
import type { Ended } from './session.js'

/** What one protocol says at the ends of its dialogue. Texts hold one octet per character. */
export interface DialogueWords {
  greeting(): string
  /** The last line of a session that we end before sign-in; empty where there is nothing to say. */
  goodbye(ended: Ended): string
  /** The last line when a bug of ours ends it. */
  readonly bug: string
}

/**
 * One session of a mailbox protocol: greeting, one command after another until one ends it or too many were no use, last words.
 * `serveCommand` reads and answers one; `first` says that nothing was read before. After sign-in the last words are the mailbox
 * server's.
 */
export async function serveDialogue(
  context: PreAuth,
  words: DialogueWords,
  serveCommand: (first: boolean) => Promise<Outcome>,
): Promise<Ended> {
  const { dialogue } = context
  try {
    dialogue.write(words.greeting())
    const ended = await serveCommands(context, serveCommand)
    if (!dialogue.isSignedIn) dialogue.write(words.goodbye(ended))
    return ended
  } catch (bug) {
    if (!dialogue.isSignedIn) dialogue.write(words.bug)
    throw bug
  } finally {
    await dialogue.close()
  }
}

async function serveCommands(context: PreAuth, serveCommand: (first: boolean) => Promise<Outcome>): Promise<Ended> {
  const { badCommands } = context.session.services.limits
  let errors = 0
  for (let first = true; ; first = false) {
    const outcome = await serveCommand(first)
    if (outcome.kind === 'ended') return outcome.ended
    if (outcome.kind === 'bad') errors += 1
    if (errors >= badCommands) return 'too-many-errors'
  }
}

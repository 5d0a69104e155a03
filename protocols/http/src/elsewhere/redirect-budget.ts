// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { NEVER } from '@portico/base'
import type { Session } from '@portico/session'

/** How often a user's clients are sent to another site within a minute. Browsers give up after twenty (for both sites together). */
export const MOST_REDIRECTS = 8
const WINDOW_MS = 60_000

/** Counts one more redirection of a user; false for one too many. Where the count cannot be shared it is this process's own. */
export async function mayGoOn({ services: { state } }: Session, user: string): Promise<boolean> {
  // Names may be longer than keys.
  const key = `elsewhere:${createHash('sha256').update(user.toLowerCase()).digest('base64url')}`
  // A session's cancellation has one listener; the store settles on its own.
  return (await state.increment(key, 1, WINDOW_MS, NEVER)) <= MOST_REDIRECTS
}

// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { NEVER } from '@portico/base'
import type { Session } from '@portico/session'
import type { Incoming } from '../client/incoming.js'

/** How often a user's clients are sent to another site within a minute. Browsers give up after twenty (for both sites together). */
export const MOST_REDIRECTS = 8
const WINDOW_MS = 60_000

/** What a request has been told: one may ask about many mailboxes. */
const told = new WeakMap<Incoming, Promise<boolean>>()

/**
 * Counts one more request of a user that is sent elsewhere; false for one too many. Where the count cannot be shared it is this
 * process's own.
 */
export function mayGoOn(session: Session, request: Incoming, user: string): Promise<boolean> {
  const before = told.get(request)
  if (before !== undefined) return before
  const answer = count(session, user)
  told.set(request, answer)
  return answer
}

async function count({ services: { state } }: Session, user: string): Promise<boolean> {
  // Names may be longer than keys.
  const key = `elsewhere:${createHash('sha256').update(user.toLowerCase()).digest('base64url')}`
  // A session's cancellation has one listener; the store settles on its own.
  return (await state.increment(key, 1, WINDOW_MS, NEVER)) <= MOST_REDIRECTS
}

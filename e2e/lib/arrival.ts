// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises'

/** What mail can be looked up in: a Dovecot, a Cyrus. */
export interface MailboxServer {
  mailOf(user: string): Promise<readonly string[]>
}

export interface Arrival {
  /** Which of the servers it came to lie in, from 1. */
  readonly server: number
  readonly text: string
}

/** Waits for a message of a user with this subject; throws when none has come after `ms`. */
export async function arrivedAt(
  servers: readonly MailboxServer[],
  user: string,
  subject: string,
  ms = 20_000,
): Promise<Arrival> {
  const deadline = Date.now() + ms
  for (;;) {
    const [arrival] = await copiesOf(servers, user, subject)
    if (arrival !== undefined) return arrival
    if (Date.now() > deadline) throw new Error(`no message "${subject}" came for ${user}`)
    await sleep(25)
  }
}

/** Each copy of a message that is there now. */
export async function copiesOf(
  servers: readonly MailboxServer[],
  user: string,
  subject: string,
): Promise<readonly Arrival[]> {
  const field = new RegExp(`^Subject: ${subject.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\r?$`, 'm')
  const found: Arrival[] = []
  for (const [index, server] of servers.entries()) {
    for (const text of await server.mailOf(user)) if (field.test(text)) found.push({ server: index + 1, text })
  }
  return found
}

// SPDX-License-Identifier: MIT
import type { LineClient } from './line-client.js'

export interface LoadOptions {
  readonly connect: () => Promise<LineClient>
  /** The password of each is the name with `pw` behind. */
  readonly user: string
  /** So many at a time. */
  readonly clients: number
}

/** One IMAP4 session, from connecting to LOGOUT. */
export interface LoadSession {
  /** When it began, in milliseconds of `performance.now()`. */
  readonly began: number
  /** The tagged answer to LOGIN; empty when the connection was refused or ended before. */
  readonly answer: string
  /** The first message's subject; empty when the session ended before it was told. */
  readonly subject: string
  /** Everything it asked was answered. */
  readonly whole: boolean
  readonly certificate: string | undefined
}

/** Clients that sign in, read and sign out, over and over. */
export class Load {
  readonly sessions: LoadSession[] = []
  readonly #options: LoadOptions
  readonly #running: Promise<unknown>
  #stopping = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#running = Promise.all(Array.from({ length: options.clients }, () => this.#client()))
  }

  /** Those that began at this moment or later and are over. */
  since(began: number): readonly LoadSession[] {
    return this.sessions.filter((session) => session.began >= began)
  }

  /** Resolves when all have signed out. Rejects when a client came upon something that no session may be like. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #client(): Promise<void> {
    while (!this.#stopping) this.sessions.push(await this.#session(performance.now()))
  }

  async #session(began: number): Promise<LoadSession> {
    const client = await this.#options.connect().catch(() => undefined)
    if (client === undefined) return { began, answer: '', subject: '', whole: false, certificate: undefined }
    try {
      const { user } = this.#options
      await client.until(/\r\n/)
      const answer = /^a .*/m.exec(await client.ask(`a LOGIN ${user} ${user}pw`, /^a .*\r\n/m))?.[0] ?? ''
      const signedIn = answer.startsWith('a OK')
      const subject = signedIn ? await firstSubject(client) : ''
      const farewell = await client.ask('z LOGOUT', /^z .*\r\n/m)
      return { began, answer, subject, whole: /^z OK/m.test(farewell), certificate: client.certificate }
    } finally {
      client.destroy()
    }
  }
}

/** Selects INBOX and asks for the first subject; empty when the session has ended. */
export async function firstSubject(client: LineClient): Promise<string> {
  await client.ask('s SELECT INBOX', /^s .*\r\n/m)
  const said = await client.ask('f FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]', /^f .*\r\n/m)
  return /^Subject: (.*)\r\n[\s\S]*^f OK/m.exec(said)?.[1] ?? ''
}

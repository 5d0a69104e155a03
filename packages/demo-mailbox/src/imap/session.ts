// SPDX-License-Identifier: MIT

import type { Accounts } from '../accounts.js'
import type { Account } from '../mail-store.js'
import { folderCommands } from './folder-commands.js'
import { messageCommands } from './message-commands.js'
import { type Command, parseCommand, textOf } from './parse.js'
import type { View } from './view.js'

/** What a command came to: the tagged line without its tag. Untagged lines were sent before. */
export type Outcome = string

/** One command's work. */
export type Handler = (session: ImapSession, command: Command) => Outcome

const CAPABILITIES = [
  'IMAP4rev1 LITERAL+ SASL-IR ID NAMESPACE IDLE MOVE UNSELECT UIDPLUS SPECIAL-USE CHILDREN',
  'AUTH=PLAIN',
].join(' ')
const BAD: Outcome = 'BAD what was that?'

/** The server's side of one IMAP4rev1 conversation (RFC 3501). It sees whole commands and writes Latin-1 text. */
export class ImapSession {
  readonly accounts: Accounts
  readonly #name: string
  readonly #write: (text: string) => void
  readonly #hangUp: () => void
  account: Account | undefined
  view: View | undefined
  /** The client's next line belongs to this command, not to a new one. */
  #continues: ((line: string) => void) | undefined

  constructor(name: string, accounts: Accounts, write: (text: string) => void, hangUp: () => void) {
    this.#name = name
    this.accounts = accounts
    this.#write = write
    this.#hangUp = hangUp
    this.send(`* OK [CAPABILITY ${CAPABILITIES}] ${name} ready`)
  }

  send(line: string): void {
    this.#write(`${line}\r\n`)
  }

  /** The connection is gone. */
  close(): void {
    this.#continues = undefined
    this.view = undefined
  }

  receive(text: string): void {
    const continues = this.#continues
    if (continues !== undefined) {
      this.#continues = undefined
      continues(text)
      return
    }
    const command = parseCommand(text)
    if (command === undefined) {
      this.send(`${/^\S+/.exec(text)?.[0] ?? '*'} ${BAD}`)
      return
    }
    const outcome = this.#handle(command)
    if (outcome !== undefined) this.#finish(command, outcome)
  }

  #finish({ tag, name }: Command, outcome: Outcome): void {
    // Sequence numbers must not move under a command that uses them (RFC 9051 section 7.5.1).
    if (!['FETCH', 'STORE', 'SEARCH'].includes(name)) this.#tellNews()
    this.send(`${tag} ${outcome}`)
    if (name === 'LOGOUT') this.#hangUp()
  }

  #tellNews(): void {
    for (const line of this.view?.news() ?? []) this.send(line)
  }

  #handle(command: Command): Outcome | undefined {
    switch (command.name) {
      case 'CAPABILITY':
        this.send(`* CAPABILITY ${CAPABILITIES}`)
        return 'OK done'
      case 'ID':
        this.send(`* ID ("name" "portico-demo" "server" "${this.#name}")`)
        return 'OK done'
      case 'NOOP':
        return 'OK done'
      case 'LOGOUT':
        this.send('* BYE see you')
        return 'OK done'
      case 'LOGIN':
        return this.#login(command)
      case 'AUTHENTICATE':
        return this.#authenticate(command)
      case 'IDLE':
        return this.#idle(command)
      default:
        return this.#handleSignedIn(command)
    }
  }

  #handleSignedIn(command: Command): Outcome {
    const forMessages = messageCommands[command.name]
    const handler = forMessages ?? folderCommands[command.name]
    if (handler === undefined) return BAD
    if (this.account === undefined) return 'BAD sign in first'
    if (forMessages !== undefined && this.view === undefined) return 'BAD no mailbox is selected'
    return handler(this, command)
  }

  #login({ args }: Command): Outcome {
    const user = textOf(args[0])
    const password = textOf(args[1])
    if (user === undefined || password === undefined || this.account !== undefined) return BAD
    return this.#signedIn(this.accounts.login(utf8(user), utf8(password)))
  }

  #authenticate(command: Command): Outcome | undefined {
    if (textOf(command.args[0])?.toUpperCase() !== 'PLAIN') return 'NO [CANNOT] only PLAIN'
    if (this.account !== undefined) return BAD
    const initial = textOf(command.args[1])
    if (initial !== undefined) return this.#signedIn(this.accounts.loginPlain(initial))
    this.#continues = (line) =>
      this.#finish(command, line === '*' ? 'BAD cancelled' : this.#signedIn(this.accounts.loginPlain(line)))
    this.send('+ ')
    return undefined
  }

  #signedIn(account: Account | undefined): Outcome {
    if (account === undefined) return 'NO [AUTHENTICATIONFAILED] wrong name or password'
    this.account = account
    return `OK [CAPABILITY ${CAPABILITIES}] welcome to ${this.#name}`
  }

  #idle(command: Command): Outcome | undefined {
    if (this.account === undefined) return BAD
    const watch = this.view?.folder.watch(() => this.#tellNews())
    this.#continues = (line) => {
      watch?.[Symbol.dispose]()
      this.#finish(command, line.toUpperCase() === 'DONE' ? 'OK done' : BAD)
    }
    this.send('+ idling')
    this.#tellNews()
    return undefined
  }
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net'
import type { Accounts } from './accounts.js'
import type { Account, StoredMessage } from './mail-store.js'

const CAPABILITIES = ['USER', 'SASL PLAIN', 'TOP', 'UIDL', 'PIPELINING', 'RESP-CODES', 'AUTH-RESP-CODE', 'XCLIENT']
const NO_MESSAGE = '-ERR no such message'
const MAX_LINE = 16_384

/** Serves one POP3 connection (RFC 1939). */
export function servePop3(socket: Socket, name: string, accounts: Accounts): void {
  const session = new Pop3Session(name, accounts)
  let held = ''
  socket.write(`+OK ${name} ready\r\n`)
  socket.on('data', (bytes: Buffer) => {
    held += bytes.toString('latin1')
    for (let end = held.indexOf('\n'); end >= 0 && socket.writable; end = held.indexOf('\n')) {
      const line = held.slice(0, end).replace(/\r$/, '')
      held = held.slice(end + 1)
      socket.write(`${session.receive(line)}\r\n`, 'latin1')
      if (session.over) socket.end()
    }
    if (held.length > MAX_LINE) socket.end('-ERR line too long\r\n')
  })
}

class Pop3Session {
  readonly #name: string
  readonly #accounts: Accounts
  #user = ''
  #account: Account | undefined
  #messages: readonly StoredMessage[] = []
  readonly #deleted = new Set<StoredMessage>()
  #awaitsPlain = false
  over = false

  constructor(name: string, accounts: Accounts) {
    this.#name = name
    this.#accounts = accounts
  }

  /** The reply, without its last line end. */
  receive(line: string): string {
    if (this.#awaitsPlain) {
      this.#awaitsPlain = false
      return line === '*' ? '-ERR cancelled' : this.#signedIn(this.#accounts.loginPlain(line))
    }
    const [word = '', ...rest] = line.split(' ')
    const command = word.toUpperCase()
    const argument = rest.join(' ')
    switch (command) {
      case 'CAPA':
        return multiline('+OK', CAPABILITIES)
      case 'NOOP':
      case 'XCLIENT':
        return '+OK'
      case 'QUIT':
        return this.#quit()
      default:
        return this.#account === undefined ? this.#signIn(command, argument) : this.#transact(command, rest)
    }
  }

  #signIn(command: string, argument: string): string {
    switch (command) {
      case 'USER':
        this.#user = utf8(argument)
        return '+OK'
      case 'PASS':
        return this.#signedIn(this.#accounts.login(this.#user, utf8(argument)))
      case 'AUTH': {
        const [mechanism = '', initial] = argument.split(' ')
        if (mechanism === '') return multiline('+OK', ['PLAIN'])
        if (mechanism.toUpperCase() !== 'PLAIN') return '-ERR only PLAIN'
        if (initial !== undefined) return this.#signedIn(this.#accounts.loginPlain(initial))
        this.#awaitsPlain = true
        return '+ '
      }
      default:
        return '-ERR sign in first'
    }
  }

  #signedIn(account: Account | undefined): string {
    if (account === undefined) return '-ERR [AUTH] wrong name or password'
    this.#account = account
    this.#messages = [...account.inbox.messages]
    return `+OK welcome to ${this.#name}`
  }

  #transact(command: string, args: readonly string[]): string {
    switch (command) {
      case 'STAT': {
        const left = this.#messages.filter((message) => !this.#deleted.has(message))
        return `+OK ${left.length} ${left.reduce((sum, { raw }) => sum + raw.length, 0)}`
      }
      case 'LIST':
        return this.#listing(args[0], ({ raw }) => `${raw.length}`)
      case 'UIDL':
        return this.#listing(args[0], ({ uid }) => `${this.#account?.inbox.uidValidity}.${uid}`)
      case 'RETR':
        return this.#content(args[0], Number.POSITIVE_INFINITY)
      case 'TOP':
        return this.#content(args[0], Number(args[1] ?? Number.NaN))
      case 'DELE': {
        const message = this.#message(args[0])
        if (message === undefined) return NO_MESSAGE
        this.#deleted.add(message)
        return '+OK'
      }
      case 'RSET':
        this.#deleted.clear()
        return '+OK'
      default:
        return '-ERR unknown command'
    }
  }

  #quit(): string {
    this.over = true
    this.#account?.inbox.remove(this.#deleted)
    return '+OK see you'
  }

  #message(number: string | undefined): StoredMessage | undefined {
    const message = /^\d+$/.test(number ?? '') ? this.#messages[Number(number) - 1] : undefined
    return message === undefined || this.#deleted.has(message) ? undefined : message
  }

  #listing(number: string | undefined, show: (message: StoredMessage) => string): string {
    if (number !== undefined) {
      const message = this.#message(number)
      return message === undefined ? NO_MESSAGE : `+OK ${number} ${show(message)}`
    }
    const lines = [...this.#messages.entries()].filter(([, message]) => !this.#deleted.has(message))
    return multiline(
      '+OK',
      lines.map(([index, message]) => `${index + 1} ${show(message)}`),
    )
  }

  /** The header and so many lines of the body. */
  #content(number: string | undefined, bodyLines: number): string {
    const message = this.#message(number)
    if (message === undefined || Number.isNaN(bodyLines)) return NO_MESSAGE
    const lines = message.raw.toString('latin1').replace(/\r\n$/, '').split('\r\n')
    const blank = lines.indexOf('')
    return multiline('+OK', blank < 0 ? lines : lines.slice(0, blank + 1 + bodyLines))
  }
}

/** Dot-stuffed, with the last dot (RFC 1939 section 3). */
function multiline(first: string, lines: readonly string[]): string {
  return [first, ...lines.map((line) => (line.startsWith('.') ? `.${line}` : line)), '.'].join('\r\n')
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

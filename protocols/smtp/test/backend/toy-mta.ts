// SPDX-License-Identifier: MIT
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Backend } from '@portico/base'
import type { Dialect } from '../../src/backend/greeting.js'

/** A message, and on whose behalf the server took it. */
export interface Taken {
  readonly connection: number
  readonly login: string
  readonly address: string
  readonly text: string
}

/** How the toy behaves; it may be changed while it runs. */
export interface ToyRules {
  dialect: Dialect
  /** `once`: as Postfix, which trusts nobody any more whose address has become another. `logins`: LOGIN alone. */
  xclient: 'always' | 'once' | 'logins' | 'no'
  xforward: boolean
  auth: boolean
  pipelining: boolean
  /** Asked before each command but the first: what goes wrong with it. */
  fault: (command: string) => 'refuse' | 'hang-up' | 'forget-xclient' | undefined
  /** Replies by command in place of its own. */
  replies: Partial<Record<string, string>>
}

const WELL: ToyRules = {
  dialect: 'smtp',
  xclient: 'no',
  xforward: false,
  auth: false,
  pipelining: true,
  fault: () => undefined,
  replies: {},
}

/** A mail server that notes on whose behalf each message came. */
export class ToyMta implements AsyncDisposable {
  readonly rules: ToyRules
  readonly taken: Taken[] = []
  /** What came on each connection. */
  readonly received: string[] = []
  readonly #server: Server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  readonly #sockets = new Set<Socket>()

  private constructor(rules: Partial<ToyRules>) {
    this.rules = { ...WELL, ...rules }
  }

  static async start(rules: Partial<ToyRules> = {}): Promise<ToyMta> {
    const toy = new ToyMta(rules)
    await new Promise<void>((resolve) => toy.#server.listen(0, '127.0.0.1', resolve))
    return toy
  }

  /** Connections so far. */
  get accepted(): number {
    return this.received.length
  }

  /** Connections now. */
  get open(): number {
    return this.#sockets.size
  }

  /** As the pool knows it. */
  backend(changes: Partial<Backend> = {}): Backend {
    const { port } = this.#server.address() as AddressInfo
    return {
      id: `toys/${this.rules.dialect}/127.0.0.1:${port}`,
      group: 'toys',
      protocol: this.rules.dialect,
      address: { kind: 'tcp', host: '127.0.0.1', port },
      tls: { mode: 'none', verify: true },
      identity: { kind: 'none' },
      cleartextPasswords: 'loopback',
      path: '',
      ...changes,
    }
  }

  /** Says something unasked on every connection. */
  shout(text: string): void {
    for (const socket of this.#sockets) socket.write(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket): void {
    const index = this.received.push('') - 1
    const session = new ToySession(this, index, (text) => socket.write(text, 'latin1'))
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.write('220 toy\r\n')
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received[index] += text
      if (!session.hear(text)) socket.destroy()
    })
  }
}

class ToySession {
  readonly #toy: ToyMta
  readonly #index: number
  readonly #write: (text: string) => void
  #held = ''
  #login = ''
  #address = ''
  #forwarded = ''
  #trusted = true
  #recipients: string[] = []
  #mail = false
  #data = false
  #chunk: { left: number; readonly last: boolean } | undefined
  #text = ''

  constructor(toy: ToyMta, index: number, write: (text: string) => void) {
    this.#toy = toy
    this.#index = index
    this.#write = write
  }

  /** False: it hangs up. */
  hear(text: string): boolean {
    this.#held += text
    for (;;) {
      if (this.#chunk !== undefined) {
        if (!this.#takeChunk(this.#chunk)) return true
        continue
      }
      const end = this.#held.indexOf('\r\n')
      if (end === -1) return true
      const line = this.#held.slice(0, end)
      this.#held = this.#held.slice(end + 2)
      if (this.#data) this.#takeLine(line)
      else if (!this.#obey(line)) return false
    }
  }

  #takeLine(line: string): void {
    if (line !== '.') {
      this.#text += `${line}\r\n`
      return
    }
    this.#data = false
    this.#finish()
  }

  #takeChunk(chunk: { left: number; readonly last: boolean }): boolean {
    const piece = this.#held.slice(0, chunk.left)
    this.#held = this.#held.slice(piece.length)
    this.#text += piece
    chunk.left -= piece.length
    if (chunk.left > 0) return false
    this.#chunk = undefined
    if (chunk.last) this.#finish()
    else this.#say('250 2.0.0 chunk')
    return true
  }

  #finish(): void {
    const { dialect } = this.#toy.rules
    const address = this.#forwarded === '' ? this.#address : this.#forwarded
    this.#toy.taken.push({ connection: this.#index, login: this.#login, address, text: this.#text })
    for (const recipient of dialect === 'lmtp' ? this.#recipients : ['all'])
      this.#say(`250 2.0.0 taken for ${recipient}`)
    this.#reset()
  }

  #reset(): void {
    this.#mail = false
    this.#recipients = []
    this.#forwarded = ''
    this.#text = ''
  }

  #obey(line: string): boolean {
    const [verb = '', ...more] = line.split(' ')
    const { rules } = this.#toy
    const fault = rules.fault(verb)
    if (fault === 'hang-up') return false
    if (fault === 'forget-xclient') this.#trusted = false
    if (fault === 'refuse') this.#say('550 5.7.0 no')
    else if (rules.replies[verb] !== undefined) this.#say(rules.replies[verb])
    else if (verb === 'QUIT') return false
    else this.#say(this.#answer(verb, more))
    return true
  }

  #answer(verb: string, more: readonly string[]): string {
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
        if ((verb === 'LHLO') !== (this.#toy.rules.dialect === 'lmtp')) return '500 5.5.1 the other dialect'
        this.#reset()
        return this.#hello()
      case 'HELO':
        return '250 toy'
      case 'XCLIENT':
        return this.#xclient(more)
      case 'XFORWARD':
        if (!this.#toy.rules.xforward || this.#mail) return '503 5.5.1 not now'
        this.#forwarded = attributeOf(more, 'ADDR') ?? this.#forwarded
        return '250 2.0.0 noted'
      case 'AUTH':
        if (this.#login !== '') return '503 5.5.1 already'
        this.#login =
          Buffer.from(more[1] ?? '', 'base64')
            .toString()
            .split('\0')[0] ?? ''
        return '235 2.7.0 welcome'
      case 'MAIL':
        if (this.#mail) return '503 5.5.1 nested'
        this.#mail = true
        return '250 2.1.0 sender'
      case 'RCPT':
        if (!this.#mail) return '503 5.5.1 MAIL first'
        if (more.join(' ').includes('nobody')) return '550 5.1.1 unknown'
        this.#recipients.push(more.join(' '))
        return '250 2.1.5 recipient'
      case 'DATA':
        if (this.#recipients.length === 0) return '503 5.5.1 RCPT first'
        this.#data = true
        return '354 go on'
      case 'BDAT':
        this.#chunk = { left: Number(more[0]), last: more[1] === 'LAST' }
        return ''
      case 'RSET':
        this.#reset()
        return '250 2.0.0 reset'
      case 'NOOP':
        return '250 2.0.0 here'
      default:
        return '502 5.5.2 what?'
    }
  }

  #hello(): string {
    const { xclient, xforward, auth, pipelining } = this.#toy.rules
    const attributes = { always: 'NAME ADDR PORT PROTO HELO LOGIN', once: 'ADDR LOGIN', logins: 'LOGIN', no: '' }[
      xclient
    ]
    return [
      '250-toy',
      ...(attributes !== '' && this.#trusted ? [`250-XCLIENT ${attributes}`] : []),
      ...(xforward ? ['250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE'] : []),
      ...(auth ? ['250-AUTH PLAIN'] : []),
      ...(pipelining ? ['250-PIPELINING'] : []),
      '250 CHUNKING',
    ].join('\r\n')
  }

  #xclient(attributes: readonly string[]): string {
    const { xclient } = this.#toy.rules
    if (xclient === 'no' || !this.#trusted) return '550 5.7.0 insufficient authorization'
    const login = attributeOf(attributes, 'LOGIN')
    const address = attributeOf(attributes, 'ADDR')
    if (login !== undefined) this.#login = login
    if (address !== undefined) {
      this.#address = address
      this.#trusted = xclient !== 'once'
    }
    this.#reset()
    return '220 toy again'
  }

  #say(reply: string): void {
    if (reply !== '') this.#write(`${reply}\r\n`)
  }
}

/** An attribute's value; empty where it says that nothing is known. */
function attributeOf(attributes: readonly string[], name: string): string | undefined {
  const value = attributes.find((attribute) => attribute.startsWith(`${name}=`))?.slice(name.length + 1)
  return value === '[UNAVAILABLE]' ? '' : value
}

// SPDX-License-Identifier: MIT
import { randomUUID } from 'node:crypto'
import { REQUEST_BODIES, type RequestType } from './mapi-words.js'
import { OctetClient } from './octet-client.js'

/** Who a client is, and what it knows of its context: shared by all of its connections. */
export interface MapiIdentity {
  readonly user: string
  readonly password: string
  /** Path and query. */
  readonly endpoint: string
  readonly cookies: Map<string, string>
}

/** How one request differs from what the client would send by itself. */
export interface MapiSpecialities {
  readonly method?: string
  readonly rops?: Buffer
  /** Instead of the client's own. */
  readonly cookies?: ReadonlyMap<string, string>
  /** More field lines, each with its CRLF. */
  readonly fields?: string
}

/** An answer that has come to its end. */
export interface MapiAnswer {
  readonly status: number
  readonly fields: ReadonlyMap<string, string>
  /** As the last word of the server has it: behind DONE, else in the head. */
  readonly code: number
  readonly body: Buffer
}

/** One connection of a client of MAPI over HTTP ([MS-OXCMAPIHTTP] section 3.1) that sees each octet when it comes. */
export class MapiClient {
  readonly identity: MapiIdentity
  readonly #port: number
  readonly #octets: OctetClient
  readonly #id = `{${randomUUID()}}`
  #count = 0

  private constructor(port: number, identity: MapiIdentity, octets: OctetClient) {
    this.#port = port
    this.identity = identity
    this.#octets = octets
  }

  static async open(port: number, identity: Omit<MapiIdentity, 'cookies'>): Promise<MapiClient> {
    return new MapiClient(port, { ...identity, cookies: new Map() }, await OctetClient.tls(port))
  }

  /** A second connection within the same context. */
  async another(): Promise<MapiClient> {
    return new MapiClient(this.#port, this.identity, await OctetClient.tls(this.#port))
  }

  /** Sends a request and reads the head of its answer. */
  async begin(type: RequestType, special: MapiSpecialities = {}): Promise<MapiReply> {
    await this.#octets.send(this.#request(type, special))
    const reply = await MapiReply.read(this.#octets)
    for (const [name, value] of reply.cookies) this.identity.cookies.set(name, value)
    return reply
  }

  async ask(type: RequestType, special: MapiSpecialities = {}): Promise<MapiAnswer> {
    return (await this.begin(type, special)).whole()
  }

  /** The field by which the last request can be told from others. */
  get requestId(): string {
    return `${this.#id}:${this.#count}`
  }

  destroy(): void {
    this.#octets.destroy()
  }

  #request(type: RequestType, { method = 'POST', rops, cookies, fields = '' }: MapiSpecialities): Buffer {
    const { user, password, endpoint } = this.identity
    const body = REQUEST_BODIES[type](rops)
    this.#count += 1
    // One field for each, as in the examples of section 4.
    const lines = [...(cookies ?? this.identity.cookies)].map(([name, value]) => `Cookie: ${name}=${value}\r\n`)
    const head = [
      `${method} ${endpoint} HTTP/1.1\r\nHost: localhost\r\n`,
      `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n`,
      `Content-Type: application/mapi-http\r\nContent-Length: ${body.length}\r\n`,
      `X-RequestType: ${type}\r\nX-RequestId: ${this.requestId}\r\nX-ClientInfo: {client}:1\r\n`,
      `X-ClientApplication: Outlook/15.0.4815.1002\r\n${lines.join('')}${fields}\r\n`,
    ]
    return Buffer.concat([Buffer.from(head.join(''), 'latin1'), body])
  }
}

/** An answer that is coming in. */
export class MapiReply {
  readonly status: number
  readonly fields: ReadonlyMap<string, string>
  readonly cookies: ReadonlyMap<string, string>
  readonly #octets: OctetClient
  #content: Buffer = Buffer.alloc(0)
  #ended = false

  private constructor(octets: OctetClient, lines: readonly string[]) {
    const [start = '', ...rest] = lines
    this.#octets = octets
    this.status = Number(start.split(' ')[1])
    const pairs = rest.slice(0, -1).map((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) as [string, string])
    this.fields = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]))
    const set = pairs.filter(([name]) => name.toLowerCase() === 'set-cookie')
    this.cookies = new Map(set.map(([, value]) => /^([^=]+)=([^;]*)/.exec(value)?.slice(1) as [string, string]))
  }

  static async read(octets: OctetClient): Promise<MapiReply> {
    const lines: string[] = []
    for (let line = await octets.line(); line !== ''; line = await octets.line()) {
      if (line === undefined) throw new Error(`the connection ended: ${lines.join('\n')}`)
      lines.push(line)
    }
    return new MapiReply(octets, [...lines, ''])
  }

  /** The next line of the content: a meta-tag (section 2.2.7). Waits for no more than that. */
  async tag(): Promise<string> {
    for (;;) {
      const end = this.#content.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#content.toString('latin1', 0, end)
        this.#content = this.#content.subarray(end + 2)
        return line
      }
      if (!(await this.#more())) throw new Error('the content ended')
    }
  }

  /** The rest of it. */
  async whole(): Promise<MapiAnswer> {
    const { status, fields } = this
    if (fields.get('content-type') !== 'application/mapi-http') return this.#failure()
    const tags: string[] = []
    for (let tag = await this.tag(); tag !== ''; tag = await this.tag()) tags.push(tag)
    while (await this.#more());
    const code = tags.findLast((tag) => tag.startsWith('X-ResponseCode: '))?.slice(16)
    return { status, fields, code: Number(code), body: this.#content }
  }

  async #failure(): Promise<MapiAnswer> {
    while (await this.#more());
    return {
      status: this.status,
      fields: this.fields,
      code: Number(this.fields.get('x-responsecode')),
      body: this.#content,
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false
    if (this.fields.get('transfer-encoding') !== 'chunked') {
      this.#ended = true
      return this.#take(Number(this.fields.get('content-length') ?? 0))
    }
    const line = await this.#octets.line()
    if (line === undefined) throw new Error('the answer broke off')
    const size = Number.parseInt(line, 16)
    this.#ended = size === 0
    await this.#take(size)
    await this.#octets.line()
    return !this.#ended
  }

  async #take(count: number): Promise<boolean> {
    const parts = [this.#content]
    const taken = await this.#octets.take(count, { update: (part) => parts.push(part) })
    if (taken < count) throw new Error('the answer broke off')
    this.#content = Buffer.concat(parts)
    return count > 0
  }
}

// SPDX-License-Identifier: MIT
import { MapiClient } from '../lib/mapi-client.js'
import { MapiServer } from '../lib/mapi-server.js'
import { type Portico, startPortico } from '../lib/portico.js'

export const EMSMDB = '/mapi/emsmdb/?MailboxId='
export const BOSS = 'boss@test.lan'
const GUID = 'b3a2f1d0-0000-4000-8000-00000000a11c'
/** The boss's mailbox by another name. Only Alice may act for it; its server is the board's. */
export const SHARED = `${GUID}@board.lan`
export const STAFF = Array.from({ length: 24 }, (_, index) => `staff${index}@test.lan`)

/** A client with a context at one of two servers, and the server without it. */
export interface Connected {
  readonly client: MapiClient
  readonly home: MapiServer
  readonly other: MapiServer
}

/** Two mailbox servers for everybody, a third for the board, Portico before them, and their clients. */
export class MapiStage implements AsyncDisposable {
  readonly one = new MapiServer('one')
  readonly two = new MapiServer('two')
  readonly board = new MapiServer('board')
  readonly #clients: MapiClient[] = []
  #portico: Portico<'https'> | undefined

  get portico(): Portico<'https'> {
    if (this.#portico === undefined) throw new Error('the stage has not been started')
    return this.#portico
  }

  async start(): Promise<void> {
    await Promise.all([this.one.start(), this.two.start(), this.board.start()])
    const group = (...servers: readonly MapiServer[]) => ({
      identity: { header: { name: 'X-User' } },
      // So that a connection which has served is told from one that stood ready.
      pool: { warm: 0 },
      http: { endpoints: servers.map(({ port }) => `http://127.0.0.1:${port}`) },
    })
    this.#portico = await startPortico({
      listeners: { https: { protocol: 'http', tls: 'implicit' } },
      users: [
        ...[...STAFF, 'alice@test.lan', 'carol@test.lan'].map((user) => `${user}:{PLAIN}secret::::::group=exchange`),
        'dave@test.lan:{PLAIN}secret::::::group=exchange disabled',
        `${BOSS}:{PLAIN}nobodyknows::::::group=board mailbox_guid=${GUID}`,
      ],
      backends: { exchange: group(this.one, this.two), board: group(this.board) },
      more: {
        auth: { actingFor: [{ users: ['alice@test.lan'], mailboxes: [BOSS] }] },
        http: { directories: ['mapi', 'autodiscover'].map((preset) => ({ preset, auth: ['basic'] })) },
        publish: { domains: ['test.lan'], host: 'mail.test.lan', http: {} },
        // Who has sent everything may wait for the answer so long although it has said that it will send no more.
        limits: { connectionsPerAddress: 1_000, halfClosed: '1s' },
      },
    })
  }

  /** Requests that any of the servers has got. */
  get asked(): number {
    return this.one.arrivals.length + this.two.arrivals.length + this.board.arrivals.length
  }

  async open(user: string, endpoint = EMSMDB + user, password = 'secret'): Promise<MapiClient> {
    const client = await MapiClient.open(this.portico.ports.https, { user, password, endpoint })
    this.#clients.push(client)
    return client
  }

  /** A second connection within the same context. */
  async another(client: MapiClient): Promise<MapiClient> {
    const second = await client.another()
    this.#clients.push(second)
    return second
  }

  async connected(user: string): Promise<Connected> {
    const { one, two } = this
    const client = await this.open(user)
    const { status, code, fields } = await client.ask('Connect')
    if (code !== 0) throw new Error(`Connect failed: ${status}, ${code}`)
    return fields.get('x-deviceinfo') === one.name
      ? { client, home: one, other: two }
      : { client, home: two, other: one }
  }

  /** Somebody whose context is at this one. */
  async connectedAt(server: MapiServer): Promise<MapiClient> {
    for (const user of STAFF) {
      const { client, home } = await this.connected(user)
      if (home === server) return client
    }
    throw new Error(`nobody has their context at ${server.name}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy()
    await this.#portico?.stop()
    await Promise.all([this.one, this.two, this.board].map((server) => server[Symbol.asyncDispose]()))
  }
}

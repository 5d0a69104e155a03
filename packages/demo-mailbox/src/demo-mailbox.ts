// SPDX-License-Identifier: MIT
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Accounts } from './accounts.js'
import { serveImap } from './imap/server.js'
import { Account, DemoDirectory } from './mail-store.js'
import { servePop3 } from './pop3.js'
import { seedMail } from './seed.js'
import { createSmtpSink } from './smtp.js'
import { createWebPage } from './web.js'

export interface DemoMailboxOptions {
  /** Named in greetings, so that one sees where one has landed. */
  readonly name: string
  readonly users: readonly { readonly name: string; readonly password: string }[]
  /** `seed`: each user has the same made-up mail; `empty` when absent. */
  readonly mail?: 'seed' | 'empty'
  /** Shared by mailboxes that deliver to each other; its own when absent. */
  readonly directory?: DemoDirectory
  /** May act for every user: SASL PLAIN with an authorization identity. */
  readonly master?: { readonly name: string; readonly password: string }
  /** All four servers speak TLS from the first octet; plain when absent. */
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string }
  /** The web page believes this header. */
  readonly trustedHeader?: string
  /** Where a front end signs people out of the web page; the page has no such link when absent. */
  readonly signOut?: string
  /** Part of addresses in the seeded mail. */
  readonly domain?: string
}

/** Four small servers over one set of mailboxes in memory, on loopback at ports that the kernel chose. */
export interface DemoMailbox extends AsyncDisposable {
  readonly name: string
  readonly host: '127.0.0.1'
  readonly ports: { readonly imap4: number; readonly pop3: number; readonly smtp: number; readonly http: number }
  account(name: string): Account | undefined
  /** Connections since the start, by protocol: so a test can see that nobody came. */
  readonly connections: { readonly imap4: number; readonly pop3: number; readonly http: number }
}

export async function createDemoMailbox(options: DemoMailboxOptions): Promise<DemoMailbox> {
  const { name, users, tls, domain = 'example.test' } = options
  const directory = options.directory ?? new DemoDirectory()
  const list = users.map((user) => new Account(user.name, user.password))
  for (const account of list) {
    directory.add(account)
    const others = ['alice', 'bob'].filter((other) => other !== account.name)
    if (options.mail === 'seed') seedMail(account, others, domain)
  }
  const accounts = new Accounts(list, options.master)
  const secure = tls === undefined ? undefined : { cert: tls.certificatePem, key: tls.keyPem }
  const lines = (serve: (socket: Socket) => void) =>
    new Host(secure === undefined ? createServer(serve) : createTlsServer(secure, serve))
  const page = createWebPage({ ...options, accounts, directory, domain })
  const imap4 = lines((socket) => serveImap(socket, name, accounts))
  const pop3 = lines((socket) => servePop3(socket, name, accounts))
  const http = new Host(secure === undefined ? createHttpServer(page) : createHttpsServer(secure, page))
  const sink = createSmtpSink(name, accounts, directory, tls)
  sink.on('error', () => undefined)
  const smtp = new Host(sink.server)
  const hosts = [imap4, pop3, smtp, http]
  await Promise.all(hosts.map((host) => host.listen()))
  return {
    name,
    host: '127.0.0.1',
    ports: { imap4: imap4.port, pop3: pop3.port, smtp: smtp.port, http: http.port },
    account: (user) => accounts.get(user),
    get connections() {
      return { imap4: imap4.accepted, pop3: pop3.accepted, http: http.accepted }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

/** A listening server that can be closed at once, with the connections it has. */
class Host {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  accepted = 0

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => this.#keep(socket))
    server.on('secureConnection', (socket: Socket) => socket.on('error', () => undefined))
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', () => resolve())
    })
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #keep(socket: Socket): void {
    this.accepted += 1
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.setNoDelay(true)
  }
}

// SPDX-License-Identifier: MIT
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Authenticator, AuthOutcome } from '@portico/auth'
import {
  type Backend,
  BackendError,
  CancellationSource,
  type Clock,
  type MailboxLocation,
  systemClock,
} from '@portico/base'
import { connectLeg, createTimerWheel, type Leg, type LegReader, type TimerWheel } from '@portico/net'
import type { Acquired, BackendPool, Lease } from '@portico/pool'
import { type ComponentStates, type Decision, type RouteQuestion, siteView } from '@portico/routing'
import { type Ended, limitsSchema, type Services, type Session } from '@portico/session'
import { createMemoryStore, type StateStore } from '@portico/state'
import { type Log, noMetrics, SessionRecord, silentLog } from '@portico/telemetry'
import { type HttpSettings, httpSchema } from '../src/schema.js'
import { serveHttp } from '../src/session.js'
import { authenticatorOf } from './authenticator-of.js'

/** What a test decides about the world around one session. */
export interface World {
  readonly settings?: unknown
  readonly identity?: Backend['identity']
  readonly cleartextPasswords?: Backend['cleartextPasswords']
  readonly backendPath?: string
  readonly encrypted?: boolean
  readonly listener?: Partial<Session['listener']>
  readonly deferred?: boolean
  /** Milliseconds for strangers. */
  readonly preAuth?: number
  /** After so many refusals by a backend strangers are throttled. */
  readonly mostRefused?: number
  readonly states?: ComponentStates
  /** Instead of one that knows Alice and her password. */
  readonly authenticator?: Authenticator
  /** Times of sign-ins. */
  readonly clock?: Clock
  /** Times of sockets; real when absent. */
  readonly socketClock?: Clock
  /** The peer is one of the site's proxies. */
  readonly isProxy?: boolean
  readonly login?: (user: string, password: string) => AuthOutcome | undefined
  readonly locate?: 'none' | 'unavailable' | MailboxLocation
  /** Told of each location that is to be routed to. */
  readonly routed?: (location: MailboxLocation) => void
  readonly log?: Log
  /** Shared by fronts that are nodes of one site. */
  readonly state?: StateStore
  /** What has become of a sign-in of earlier; it goes on when absent. */
  readonly resume?: (user: string) => AuthOutcome | undefined
  /** Whether a user may act for a mailbox that is not theirs; nobody when absent. */
  readonly mayActFor?: (user: string, mailbox: string) => boolean
  /** Whether a user may use a protocol; everybody every one when absent. */
  readonly mayUse?: (user: string, protocol: string) => boolean
  /** Told what the router is asked; decides it if it likes. */
  readonly decide?: (question: RouteQuestion) => Decision | undefined
  /** Whatever else is to be different. */
  readonly services?: Partial<Services>
}

/** Plays a backend: gets each connection. */
export type PlayBackend = (socket: Socket, index: number) => void

/** A front end of one protocol on real sockets, around a backend that the test plays. */
export class Front {
  readonly port: number
  readonly backendPort: number
  /** How each session ended, in their order. */
  readonly ended: Promise<Ended>[] = []
  readonly verdicts: string[] = []
  readonly errors: unknown[] = []
  readonly #servers: readonly Server[]
  readonly #sockets = new Set<Socket>()
  readonly #wheel: TimerWheel
  readonly #idle: Leg[] = []
  readonly #state: StateStore
  readonly #settings: HttpSettings
  /** Sessions share them. */
  readonly #services: Services

  private constructor(servers: readonly [Server, Server], world: World) {
    this.#servers = servers
    this.#wheel = createTimerWheel(world.socketClock ?? systemClock)
    this.#state = world.state ?? createMemoryStore({ clock: world.clock ?? systemClock })
    this.#settings = httpSchema.parse(world.settings ?? {}) as HttpSettings
    this.port = portOf(servers[0])
    this.backendPort = portOf(servers[1])
    this.#services = this.#servicesOf(world)
    servers[0].on('connection', (socket) => this.#accept(socket, world))
    servers[1].on('connection', (socket) => this.#keep(socket))
  }

  static async start(play: PlayBackend, world: World = {}): Promise<Front> {
    let index = 0
    const backend = await listen(
      createServer({ allowHalfOpen: true, noDelay: true }, (socket) => play(socket, index++)),
    )
    return new Front([await listen(createServer({ allowHalfOpen: true, noDelay: true })), backend], world)
  }

  /** A leg has to come from the public face: a second connection carries the client's octets to it. */
  async #accept(outer: Socket, world: World): Promise<void> {
    this.#keep(outer)
    const bridge = await listen(createServer({ allowHalfOpen: true, noDelay: true }))
    const inner = new Promise<Socket>((resolve) => bridge.once('connection', resolve))
    const connected = await connectLeg(
      { kind: 'tcp', host: '127.0.0.1', port: portOf(bridge) },
      { wheel: this.#wheel, timeoutMs: 1000, signal: new CancellationSource() },
    )
    const socket = await inner
    bridge.close()
    this.#keep(socket)
    join(outer, socket)
    if (connected.kind !== 'connected') throw new Error('no leg')
    this.ended.push(this.#serve(connected.leg, world))
  }

  async #serve(leg: Leg, world: World): Promise<Ended> {
    const session = this.#session(leg, world)
    try {
      return await serveHttp(session, this.#settings)
    } catch (error) {
      this.errors.push(error)
      return 'server-bug'
    } finally {
      leg.destroy()
    }
  }

  #session(leg: Leg, world: World): Session {
    const client = leg.facts.peer
    const facts = { id: 's1', protocol: 'http', listener: 'test', networks: [], clock: systemClock, client }
    return {
      id: 's1',
      protocol: 'http',
      listener: {
        name: 'test',
        tls: 'none',
        plaintextPasswords: 'always',
        options: {},
        tlsAcceptor: undefined,
        ...world.listener,
      } as const,
      leg,
      networks: [],
      isProxy: world.isProxy ?? false,
      services: this.#services,
      signal: new CancellationSource(),
      record: new SessionRecord(facts),
      hops: 0,
      speaksFor() {},
      fork() {
        throw new Error('HTTP/1.1 forks no session')
      },
      draining: false,
      onDrain: undefined,
    }
  }

  #servicesOf(world: World): Services {
    const backend = this.#backend(world)
    return {
      authenticator: world.authenticator ?? authenticatorOf(world, this.verdicts),
      locator: {
        name: 'test',
        locate: async () => {
          const { locate = { group: 'web', source: 'test' } } = world
          return typeof locate === 'string' ? { kind: locate } : { kind: 'found', location: locate }
        },
        async [Symbol.asyncDispose]() {},
      },
      router: {
        decide: (question) => {
          world.routed?.(question.location)
          return world.decide?.(question) ?? { kind: 'proxy', candidates: [backend] }
        },
        redirections: () => [],
        siteOf: () => siteView({}, undefined),
        follow: () => ({ kind: 'refuse', reason: 'backend-unavailable' }),
      },
      backendsOf: () => [],
      pool: this.#pool(),
      state: this.#state,
      states: () => world.states ?? new Map(),
      clock: world.clock ?? systemClock,
      wheel: this.#wheel,
      log: world.log ?? silentLog,
      metrics: noMetrics,
      limits: { ...limitsSchema.parse({}), ...(world.preAuth === undefined ? {} : { preAuth: world.preAuth }) },
      hostname: 'mail.example.com',
      publication: {
        name: 'Example',
        domains: ['example.com'],
        userName: 'address',
        publicFolders: [],
        isInside: () => false,
        offersFor: () => [],
      },
      sharedKey: new Uint8Array(32),
      pathOf: (path) => path,
      disposeWhenRetired() {},
      ...world.services,
    }
  }

  #backend(world: World): Backend {
    return {
      id: 'web/http/test',
      group: 'web',
      protocol: 'http',
      address: { kind: 'tcp', host: '127.0.0.1', port: this.backendPort },
      tls: { mode: 'none', verify: true },
      identity: world.identity ?? { kind: 'password' },
      cleartextPasswords: world.cleartextPasswords ?? 'loopback',
      path: world.backendPath ?? '',
    }
  }

  #pool(): BackendPool {
    return {
      register() {},
      acquire: (backend, signal) => this.#acquire(backend, signal),
      take: (backend) => this.#take(backend),
      stats: () => [],
      cool() {},
      async [Symbol.asyncDispose]() {},
    }
  }

  #take(backend: Backend): Lease | undefined {
    const idle = this.#idle.pop()
    return idle && this.#lease(backend, idle, true)
  }

  async #acquire(backend: Backend, signal: Parameters<BackendPool['acquire']>[1]): Promise<Acquired> {
    const connected = await connectLeg(backend.address, { wheel: this.#wheel, timeoutMs: 1000, signal })
    if (connected.kind === 'connected') return { kind: 'lease', lease: this.#lease(backend, connected.leg, false) }
    return { kind: 'failed', error: new BackendError({ code: 'refused', backend: backend.id, phase: 'connect' }) }
  }

  #lease(backend: Backend, leg: Leg, reused: boolean): Lease {
    return {
      leg,
      backend,
      greeting: undefined,
      reused,
      kept: reused,
      markUsed() {},
      release: async (longestRest) => {
        if (longestRest === 0) {
          leg.destroy()
          return
        }
        leg.setReader(SLEEPER)
        this.#idle.push(leg)
      },
      discard: () => leg.destroy(),
      async [Symbol.asyncDispose]() {},
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
    for (const leg of this.#idle) leg.destroy()
    await Promise.all(this.ended)
    this.#wheel.close()
  }
}

const SLEEPER: LegReader = { onBytes: (view) => view.length, onDrain() {}, onPeerEnd() {}, onEnd() {} }

function join(one: Socket, other: Socket): void {
  one.pipe(other)
  other.pipe(one)
  one.on('close', () => other.destroy())
  other.on('close', () => (one.writableLength === 0 ? one.destroy() : one.end()))
  other.on('error', () => one.resetAndDestroy())
}

function listen(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

export const BASIC = `Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}`

/** A client that shows what it was sent. */
export class Client {
  readonly socket: Socket
  received = ''
  closed = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.#wake?.()
    })
    const over = () => {
      this.closed = true
      this.#wake?.()
    }
    socket.on('end', over).on('close', over).on('error', over)
  }

  static async connect(port: number): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    await new Promise((resolve) => socket.once('connect', resolve))
    return new Client(socket)
  }

  /** Lines are joined by CRLF; an empty one at the end ends a head. */
  send(...lines: string[]): void {
    this.socket.write(lines.join('\r\n'), 'latin1')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error(`closed after ${JSON.stringify(this.received)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Everything up to the close. */
  async toEnd(): Promise<string> {
    while (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.socket.destroy()
    return this.received
  }

  /** Takes what came up to and with the text. */
  async take(text: string): Promise<string> {
    await this.until(() => this.received.includes(text))
    const end = this.received.indexOf(text) + text.length
    const taken = this.received.slice(0, end)
    this.received = this.received.slice(end)
    return taken
  }
}

/** A backend that shows each request's head and answers it with what `answer` gives; bodies are not looked at. */
export function answering(heads: string[], answer: (head: string, index: number) => string): PlayBackend {
  return (socket) => {
    let pending = ''
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1')
      for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
        const head = pending.slice(0, end + 4)
        pending = pending.slice(end + 4)
        if (!/^[A-Z_]+ .* HTTP\/1\.1/.test(head)) continue
        heads.push(head)
        socket.write(answer(head, heads.length - 1), 'latin1')
      }
    })
  }
}

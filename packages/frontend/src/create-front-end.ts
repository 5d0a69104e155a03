// SPDX-License-Identifier: MIT
import { createHmac, randomBytes } from 'node:crypto'
import type { Server } from 'node:net'
import { createHashThreads } from '@portico/auth'
import { systemClock } from '@portico/base'
import { chooseTransport, createTimerWheel, type Leg, type TransportKind } from '@portico/net'
import type { ComponentStates } from '@portico/routing'
import { createMemoryStore } from '@portico/state'
import { noMetrics, silentLog } from '@portico/telemetry'
import { watchCertificates } from './certificates.js'
import { configuredStates, leavingStates } from './components.js'
import { DatagramDoor } from './datagram-door.js'
import { Door, type DoorOptions, listenerKeys } from './doors.js'
import { filesOf } from './files.js'
import type { BoundListener, FrontEnd, FrontEndOptions } from './front-end.js'
import { checkedConfig, Generation, type Lasting } from './generation.js'
import type { ListenerSettings } from './schema.js'
import { createIds } from './session-id.js'

/** Validates the configuration, opens what it names and listens. Rejects with `ConfigError`, or when a listener cannot be bound. */
export async function createFrontEnd(options: FrontEndOptions): Promise<FrontEnd> {
  const frontEnd = new RunningFrontEnd(options)
  try {
    await frontEnd.reload(options.config, options.received)
  } catch (error) {
    await frontEnd.close()
    throw error
  }
  return frontEnd
}

type AnyDoor = Door | DatagramDoor

class RunningFrontEnd implements FrontEnd {
  readonly #lasting: Lasting
  readonly #ownsState: boolean
  readonly #doorOptions: DoorOptions
  #states: ComponentStates = new Map()
  #doors = new Map<string, AnyDoor>()
  /** Doors of former configurations, until their last session has ended. */
  readonly #leaving = new Set<AnyDoor>()
  readonly #retiring = new Set<Promise<void>>()
  #generation: Generation | undefined
  #watcher: Disposable | undefined
  #reloading: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  #stopped = false

  constructor(options: FrontEndOptions) {
    const clock = options.clock ?? systemClock
    this.#ownsState = options.state === undefined
    this.#lasting = {
      protocols: options.protocols,
      otherProtocols: options.otherProtocols ?? [],
      clock,
      wheel: createTimerWheel(clock),
      log: options.log ?? silentLog,
      metrics: options.metrics ?? noMetrics,
      state: options.state ?? createMemoryStore({ clock }),
      ...filesOf(options),
      hashThreads: createHashThreads(),
      sharedKey: createHmac('sha256', options.ticketKeys ?? randomBytes(48))
        .update('what workers share')
        .digest(),
      states: () => this.#states,
    }
    this.#doorOptions = {
      lasting: this.#lasting,
      nextId: createIds(() => clock.wallNow()),
      ticketKeys: options.ticketKeys,
      welcome: (door, leg) => this.#welcome(door, leg),
    }
  }

  get listeners(): readonly BoundListener[] {
    return [...this.#doors.values()].map(({ facts, protocol, bound }) => ({ name: facts.name, protocol, ...bound }))
  }

  get warnings(): readonly string[] {
    return this.#generation?.checked.warnings ?? []
  }

  get sessions(): number {
    return this.#everyDoor.reduce((sum, { sessions }) => sum + sessions.size, 0)
  }

  reload(config: unknown, received: ReadonlyMap<string, Server> = new Map()): Promise<void> {
    const next = this.#reloading.then(() => this.#reload(config, received))
    this.#reloading = next.catch(() => undefined)
    return next
  }

  async #reload(config: unknown, received: ReadonlyMap<string, Server>): Promise<void> {
    if (this.#stopped) throw new Error('the front end is leaving')
    const checked = checkedConfig(config, this.#lasting)
    if (this.#generation === undefined) await this.#chooseTransport(checked.settings.transport)
    const generation = Generation.open(checked, this.#lasting)
    const opened = new Map<string, AnyDoor>()
    const wanted = listenerKeys(generation.checked.settings.listeners)
    try {
      for (const [key, settings] of wanted) {
        if (this.#doors.has(key)) continue
        opened.set(key, await this.#open(settings, generation, received.get(key)))
      }
    } catch (error) {
      await Promise.all([...opened.values()].map((door) => door.close()))
      await generation.retire()
      throw error
    }
    this.#commit(generation, opened)
  }

  async #open(settings: ListenerSettings, generation: Generation, received: Server | undefined): Promise<AnyDoor> {
    if (settings.transport === 'udp') {
      const door = new DatagramDoor(settings, generation, this.#doorOptions)
      await door.open()
      return door
    }
    const door = new Door(settings, generation, this.#doorOptions)
    await door.open(received ?? settings.address)
    return door
  }

  async #chooseTransport(wanted: TransportKind): Promise<void> {
    const choice = await chooseTransport(wanted)
    if ('fault' in choice) {
      this.#lasting.log.warn('connections are made on node:net: the handles below it do not work here', {
        fault: choice.fault,
      })
    }
  }

  /** Nothing here can fail or wait: either all of the new configuration holds, or none of it. */
  #commit(generation: Generation, opened: ReadonlyMap<string, AnyDoor>): void {
    const doors = new Map<string, AnyDoor>()
    for (const [key, settings] of listenerKeys(generation.checked.settings.listeners)) {
      const kept = this.#doors.get(key)
      kept?.update(settings, generation)
      const door = kept ?? opened.get(key)
      if (door !== undefined) doors.set(key, door)
    }
    for (const [key, door] of this.#doors) {
      if (!doors.has(key)) void this.#leave(door, generation)
    }
    const former = this.#generation
    this.#doors = doors
    this.#generation = generation
    this.#states = configuredStates(generation.checked.settings)
    if (former !== undefined) this.#retire(former)
    this.#watch(generation)
  }

  /** A listener that the new configuration does not have: nobody comes in any more, and who is in is asked to leave. */
  async #leave(door: AnyDoor, generation: Generation): Promise<void> {
    this.#leaving.add(door)
    await door.stopAccepting()
    await door.drain(generation)
    await door.close()
    this.#leaving.delete(door)
  }

  #retire(generation: Generation): void {
    const retired = generation.retire().finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
  }

  #watch(generation: Generation): void {
    const { clock, log, readText, pathOf } = this.#lasting
    this.#watcher?.[Symbol.dispose]()
    this.#watcher = watchCertificates({
      settings: generation.checked.settings.tls,
      readText,
      pathOf,
      clock,
      log,
      renewed: (certificates) => {
        for (const door of this.#doors.values()) door.swap(certificates)
      },
    })
  }

  #welcome(door: Door, leg: Leg): void {
    const { generation, facts, protocol } = door
    const served = generation.protocol(protocol)
    if (served === undefined || this.#closing !== undefined) {
      leg.destroy()
      return
    }
    const { namesOf } = generation.checked.networks
    const id = this.#doorOptions.nextId()
    const { services } = generation
    const done = generation.use()
    void door.sessions
      .run({ id, protocol, listener: facts, leg, networksOf: namesOf, services }, served.protocol, served.settings)
      .finally(done)
  }

  async drain(): Promise<void> {
    await this.#stopAccepting()
    const names = this.#lasting.protocols.map(({ name }) => name)
    this.#states = leavingStates(this.#states, names)
    const generation = this.#generation
    generation?.cool()
    if (generation !== undefined) await Promise.all(this.#everyDoor.map((door) => door.drain(generation)))
    await this.close()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#stopAccepting()
    this.#watcher?.[Symbol.dispose]()
    await Promise.all(this.#everyDoor.map((door) => door.close()))
    await Promise.all([this.#generation?.retire(), ...this.#retiring])
    await this.#lasting.hashThreads[Symbol.asyncDispose]()
    if (this.#ownsState) await this.#lasting.state[Symbol.asyncDispose]()
    this.#lasting.wheel.close()
  }

  async #stopAccepting(): Promise<void> {
    this.#stopped = true
    await this.#reloading
    await Promise.all([...this.#doors.values()].map((door) => door.stopAccepting()))
  }

  get #everyDoor(): readonly AnyDoor[] {
    return [...this.#doors.values(), ...this.#leaving]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

// SPDX-License-Identifier: MIT
import {
  allowedMechanisms,
  createAccessRules,
  createActingPolicy,
  createAuthCache,
  createAuthenticator,
  createNaming,
  createThrottle,
  type HashThreads,
} from '@portico/auth'
import type { Clock, ProtocolName } from '@portico/base'
import { ConfigError, validate } from '@portico/config'
import type { TimerWheel, TlsCertificate } from '@portico/net'
import { type BackendPool, createBackendPool } from '@portico/pool'
import { buildTopology, createRouter, type Topology, TopologyError } from '@portico/routing'
import type { Protocol, Services } from '@portico/session'
import type { StateStore } from '@portico/state'
import type { Log, Metrics } from '@portico/telemetry'
import { loadAuthorities, loadCertificates, type ReadText } from './certificates.js'
import { checkConfig, configWarnings } from './check-config.js'
import { componentProblems } from './components.js'
import { type Lookups, openLookups } from './lookups.js'
import { type NamedNetworks, namedNetworks } from './named-networks.js'
import { publicationOf } from './publication.js'
import { type FrontEndSettings, frontEndSchema, type OtherProtocol } from './schema.js'
import { passwordProtocols } from './usable-mechanisms.js'

/** What outlives a configuration. */
export interface Lasting {
  readonly protocols: readonly Protocol<never>[]
  /** Protocols that the file may speak of and that are not hosted here. */
  readonly otherProtocols: readonly OtherProtocol[]
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Log
  readonly metrics: Metrics
  readonly state: StateStore
  readonly readText: ReadText
  readonly pathOf: (path: string) => string
  readonly hashThreads: HashThreads
  /** See {@link Services.sharedKey}. */
  readonly sharedKey: Uint8Array
  readonly states: Services['states']
}

/** A configuration that has been found good, with what was read for it. Nothing runs yet. */
export interface CheckedConfig {
  readonly settings: FrontEndSettings
  readonly networks: NamedNetworks
  readonly topology: Topology
  readonly certificates: TlsCertificate[]
  /** Authorities of client certificates, by the index of their listener. */
  readonly authorities: ReadonlyMap<number, string>
  /** What works, but not as far as a site may expect. */
  readonly warnings: readonly string[]
}

/** Everything that can be told without opening a socket or a source. Throws {@link ConfigError}. */
export function checkedConfig(
  config: unknown,
  lasting: Pick<Lasting, 'protocols' | 'otherProtocols' | 'readText' | 'pathOf'>,
): CheckedConfig {
  const settings = validate(frontEndSchema(lasting.protocols, lasting.otherProtocols), config)
  const networks = namedNetworks(settings.networks)
  const topology = topologyOf(settings, lasting.readText)
  const problems = [
    ...checkConfig(settings, topology, lasting.protocols, lasting.pathOf),
    ...componentProblems(settings, lasting.protocols, lasting.otherProtocols),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
  const certificates = loadCertificates(settings.tls, lasting.readText)
  const authorities = loadAuthorities(settings.listeners, lasting.readText)
  const warnings = configWarnings(settings, topology, lasting.protocols, lasting.pathOf)
  return { settings, networks, topology, certificates, authorities, warnings }
}

function topologyOf(settings: FrontEndSettings, readText: ReadText): Topology {
  try {
    return buildTopology(settings.backends, readText, settings)
  } catch (cause) {
    if (!(cause instanceof TopologyError)) {
      throw new ConfigError([{ path: ['backends'], expectation: (cause as Error).message }], { cause })
    }
    const expectation = cause.message.slice(cause.message.indexOf(': ') + 2)
    throw new ConfigError([{ path: ['backends', ...cause.path], expectation }], { cause })
  }
}

/**
 * The services of one configuration. New sessions use the newest generation; a former one is disposed of when it is retired and
 * its last session has ended.
 */
export class Generation {
  readonly checked: CheckedConfig
  readonly services: Services
  readonly #pool: BackendPool
  readonly #lookups: Lookups
  readonly #protocols: ReadonlyMap<ProtocolName, Protocol<never>>
  /** What protocols have made for all sessions of this configuration. */
  readonly #shared: Disposable[] = []
  #users = 0
  #retired: (() => void) | undefined
  #disposed: Promise<void> | undefined

  private constructor(checked: CheckedConfig, lasting: Lasting, lookups: Lookups) {
    const { settings, topology } = checked
    const { clock, wheel, log, metrics, state, states } = lasting
    const { limits, auth, hostname } = settings
    this.checked = checked
    this.#lookups = lookups
    this.#protocols = new Map(lasting.protocols.map((protocol) => [protocol.name, protocol]))
    this.#pool = createBackendPool({
      clock,
      wheel,
      log,
      limits: { connectMs: limits.connect, maxPerBackend: limits.connections, acquireMs: limits.openBackend },
    })
    for (const protocol of lasting.protocols) {
      for (const driver of protocol.drivers(settings.protocols.get(protocol.name) as never)) this.#pool.register(driver)
    }
    const authenticator = createAuthenticator({
      sources: lookups.sources,
      mechanisms: allowedMechanisms(auth),
      proofsOf: auth.mechanisms === undefined ? 'every' : 'any',
      passwordProtocols: passwordProtocols(settings, topology),
      anonymousUser: auth.anonymousUser,
      certificates: auth.certificates,
      naming: createNaming(auth.names),
      mayActFor: createActingPolicy(auth.actingFor),
      accessRules: createAccessRules(settings.accessRules, settings.networks),
      throttle: createThrottle({ settings: auth, state, clock }),
      cache: createAuthCache(auth.cache, clock),
      clock,
      log,
    })
    const { locator } = lookups
    const router = createRouter(topology)
    this.services = {
      authenticator,
      locator,
      router,
      pool: this.#pool,
      backendsOf: (protocol) => topology.groups.flatMap((group) => topology.backendsOf(group, protocol)),
      state,
      states,
      clock,
      wheel,
      log,
      metrics,
      limits,
      hostname,
      publication: publicationOf(settings, topology, lasting.protocols),
      sharedKey: lasting.sharedKey,
      pathOf: lasting.pathOf,
      disposeWhenRetired: (resource) => void this.#shared.push(resource),
    }
  }

  /** Opens the sources. Throws {@link ConfigError} when one cannot be opened. */
  static open(checked: CheckedConfig, lasting: Lasting): Generation {
    return new Generation(checked, lasting, openLookups(checked.settings, lasting))
  }

  protocol(name: ProtocolName): { readonly protocol: Protocol<unknown>; readonly settings: unknown } | undefined {
    const protocol = this.#protocols.get(name)
    if (protocol === undefined) return undefined
    return { protocol: protocol as unknown as Protocol<unknown>, settings: this.checked.settings.protocols.get(name) }
  }

  /** One more session lives on this generation until the returned function is called. */
  use(): () => void {
    this.#users += 1
    return () => {
      this.#users -= 1
      if (this.#users === 0) this.#retired?.()
    }
  }

  /** No new session will come: no backend connection is kept ready for one. */
  cool(): void {
    this.#pool.cool()
  }

  /** No new session will come. Resolves when the last one has ended and everything is disposed of. */
  async retire(): Promise<void> {
    this.cool()
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#retired = resolve
      })
    }
    this.#disposed ??= this.#dispose()
    await this.#disposed
  }

  async #dispose(): Promise<void> {
    for (const resource of this.#shared) resource[Symbol.dispose]()
    await this.#pool[Symbol.asyncDispose]()
    await this.#lookups.locator[Symbol.asyncDispose]()
    await this.services.authenticator[Symbol.asyncDispose]()
  }
}

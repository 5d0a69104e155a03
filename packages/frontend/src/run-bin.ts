// SPDX-License-Identifier: MIT
import { parseArgs } from 'node:util'
import { ConfigError, type LoadedConfig, loadConfig, located, validate } from '@portico/config'
import type { Protocol } from '@portico/session'
import { createLog, createMetrics, type Log, type MetricValues, type OwnedLog } from '@portico/telemetry'
import { createFrontEnd } from './create-front-end.js'
import type { FrontEnd, FrontEndOptions } from './front-end.js'
import { type FrontEndSettings, frontEndSchema, type OtherProtocol } from './schema.js'

/** The protocols that one configuration file may speak of: what a program does not host itself it passes over. */
export const KNOWN_PROTOCOLS: readonly OtherProtocol[] = [
  { name: 'imap4' },
  { name: 'pop3' },
  { name: 'smtp', deliveries: [{ name: 'lmtp' }] },
  { name: 'http' },
  { name: 'sip' },
]

/**
 * The program of one protocol: hosts its listeners of a configuration file in this process. SIGHUP reads the file again, SIGTERM
 * and SIGINT drain, a second one of them ends all sessions. Sets the exit code: 1 for a configuration or address that cannot be
 * used, 2 for wrong arguments.
 */
export async function runBin(protocol: Protocol<never>, argv: readonly string[]): Promise<void> {
  const program = `portico-${protocol.name}`
  const path = configArgument(argv.slice(2))
  if (path === undefined) {
    process.stderr.write(`usage: ${program} --config FILE\n`)
    process.exitCode = 2
    return
  }
  try {
    await host(protocol, path)
  } catch (error) {
    process.stderr.write(`${program}: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

function configArgument(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } }).values.config
  } catch {
    return undefined
  }
}

async function host(protocol: Protocol<never>, path: string): Promise<void> {
  const otherProtocols = KNOWN_PROTOCOLS.filter(({ name }) => name !== protocol.name)
  await hostFile(path, { protocols: [protocol], otherProtocols })
}

/** What may be asked of a front end that runs. */
export interface Control {
  /** Reads the configuration again. Rejects when it cannot be used. */
  reload(): Promise<void>
  /** What each of its processes has counted. */
  metrics(): Promise<readonly MetricValues[]>
}

/**
 * Hosts a configuration file in this process until signals end it. `running` is told what may be asked of it; what it returns is
 * disposed of when it begins to leave.
 */
export async function hostFile(
  path: string,
  options: Pick<FrontEndOptions, 'protocols' | 'otherProtocols'>,
  running?: (control: Control, settings: FrontEndSettings) => Promise<AsyncDisposable>,
): Promise<void> {
  const loaded = loadConfig(path)
  const settings = settingsOf(loaded, options.protocols, options.otherProtocols)
  using log = openLog(settings)
  const { config, directory } = loaded
  const metrics = createMetrics()
  await using frontEnd = await withPositions(loaded, () =>
    createFrontEnd({ ...options, config, directory, log, metrics }),
  )
  const again = () => reload(frontEnd, path, log)
  await using control = await running?.({ reload: again, metrics: async () => [await metrics.values()] }, settings)
  process.on('SIGHUP', () => void again().catch(() => undefined))
  logWarnings(log, frontEnd.warnings)
  log.info('ready', { listeners: frontEnd.listeners })
  await leaveOnSignal(frontEnd, async () => control?.[Symbol.asyncDispose]())
  log.info('left')
}

/** The validated settings of a file, its faults with their positions. Throws `ConfigError`. */
export function settingsOf(
  { config, source }: LoadedConfig,
  protocols: readonly Protocol<never>[],
  otherProtocols: readonly OtherProtocol[] = [],
): FrontEndSettings {
  return located(source, () => validate(frontEndSchema(protocols, otherProtocols), config))
}

/** Opens the log that the settings ask for. Throws when its file cannot be opened. */
export function openLog({ log }: Pick<FrontEndSettings, 'log'>): OwnedLog {
  return createLog({ level: log.level, format: log.format, destination: log.file ?? process.stdout.fd })
}

/** What of a configuration works, but not as far as a site may expect. */
export function logWarnings(log: Log, warnings: readonly string[]): void {
  for (const what of warnings) log.warn('configuration warning', { what })
}

/** Awaits something that may find faults in a configuration; they leave with their positions. */
export async function withPositions<T>({ source }: LoadedConfig, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw error instanceof ConfigError ? source.locate(error) : error
  }
}

async function reload(frontEnd: FrontEnd, path: string, log: OwnedLog): Promise<void> {
  try {
    const loaded = loadConfig(path)
    await withPositions(loaded, () => frontEnd.reload(loaded.config))
    logWarnings(log, frontEnd.warnings)
    log.info('reloaded', { listeners: frontEnd.listeners })
  } catch (error) {
    log.error('the configuration cannot be used, the former one stays', { why: (error as Error).message })
    throw error
  }
}

/** Resolves when everything has ended: politely after the first signal, at once after the second. */
async function leaveOnSignal(frontEnd: FrontEnd, begun: () => Promise<void>): Promise<void> {
  let signals = 0
  await new Promise<void>((resolve, reject) => {
    const leave = () => {
      signals += 1
      if (signals === 1) void begun()
      if (signals === 1) frontEnd.drain().then(resolve, reject)
      else void frontEnd.close()
    }
    process.on('SIGTERM', leave)
    process.on('SIGINT', leave)
  })
}

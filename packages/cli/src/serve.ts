// SPDX-License-Identifier: MIT
import { availableParallelism } from 'node:os'
import { loadConfig } from '@portico/config'
import {
  checkConfiguration,
  type FrontEndSettings,
  hostFile,
  logWarnings,
  openLog,
  withPositions,
} from '@portico/frontend'
import type { Log } from '@portico/telemetry'
import { defaultControlPath, serveControl } from './control.js'
import { dropPrivileges } from './privileges.js'
import { selectProtocols } from './protocols.js'
import { Supervisor } from './supervisor.js'

export interface ServeOptions {
  readonly config: string
  /** 0: this process alone. */
  readonly workers: number | 'auto'
  readonly protocols: readonly string[]
}

const PROGRAM = new URL('./worker.js', import.meta.url)
/** With fewer there is nobody to accept while a dead worker is replaced. */
const FEWEST = 2

/** Runs a front end until signals end it. Rejects when it cannot start. */
export async function serve(options: ServeOptions): Promise<void> {
  if (options.workers === 0) {
    await hostFile(options.config, selectProtocols(options.protocols), async (asked, settings) => {
      const control = await serveControl(controlPath(options.config, settings), asked)
      dropPrivileges(settings)
      return control
    })
    return
  }
  const { settings, warnings, text } = await checkFile(options.config, options.protocols)
  using log = openLog(settings)
  warnAboutRoot(settings, log)
  logWarnings(log, warnings)
  const supervisor = new Supervisor({
    program: PROGRAM,
    workers: options.workers === 'auto' ? Math.max(FEWEST, availableParallelism()) : options.workers,
    path: options.config,
    text,
    protocols: options.protocols,
    log,
  })
  try {
    await run(supervisor, options, settings, log)
  } catch (error) {
    await supervisor.close()
    throw error
  }
}

async function run(supervisor: Supervisor, options: ServeOptions, settings: FrontEndSettings, log: Log): Promise<void> {
  const starting = supervisor.start()
  // A signal that comes before the workers listen must neither end the process nor be lost.
  const reload = () => starting.then(() => reloadFile(supervisor, options, log))
  process.on('SIGHUP', () => void reload().catch(() => undefined))
  const listeners = await starting
  const asked = { reload, metrics: () => supervisor.metrics() }
  await using control = await serveControl(controlPath(options.config, settings), asked)
  // Who leaves is not reloaded any more, and must not be in the way of who comes in its place.
  const leaving = leaveOnSignal(supervisor, async () => control[Symbol.asyncDispose]())
  log.info('ready', { listeners, workers: supervisor.pids })
  await leaving
  log.info('left')
}

async function reloadFile(supervisor: Supervisor, options: ServeOptions, log: Log): Promise<void> {
  try {
    const { warnings, text } = await checkFile(options.config, options.protocols)
    const listeners = await supervisor.reload(text)
    logWarnings(log, warnings)
    log.info('reloaded', { listeners })
  } catch (error) {
    log.error('the configuration cannot be used, the former one stays', { why: (error as Error).message })
    throw error
  }
}

/** Reads and checks a file. Rejects with `ConfigError`. */
export async function checkFile(
  path: string,
  protocols: readonly string[] = [],
): Promise<Awaited<ReturnType<typeof checkConfiguration>> & { readonly text: string }> {
  const loaded = loadConfig(path)
  const { config, directory, text } = loaded
  const checked = await withPositions(loaded, () =>
    checkConfiguration({ config, directory, ...selectProtocols(protocols) }),
  )
  return { ...checked, text }
}

export function controlPath(config: string, { admin }: Pick<FrontEndSettings, 'admin'>): string {
  return admin.socket ?? defaultControlPath(config, process.env)
}

function warnAboutRoot({ user }: FrontEndSettings, log: Log): void {
  if (process.getuid?.() === 0 && user === undefined) {
    log.warn('the workers run as root: a user block in the configuration says whom they become')
  }
}

/** Resolves when every worker has gone: politely after the first signal, at once after the second. */
async function leaveOnSignal(supervisor: Supervisor, begun: () => Promise<void>): Promise<void> {
  let signals = 0
  await new Promise<void>((resolve, reject) => {
    const leave = () => {
      signals += 1
      if (signals === 1) void begun()
      const gone = signals === 1 ? supervisor.drain() : supervisor.close()
      gone.then(resolve, reject)
    }
    process.on('SIGTERM', leave)
    process.on('SIGINT', leave)
  })
}

// SPDX-License-Identifier: MIT
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, launch, linesShowing, privateFolder, type RunningServer, testCertificates } from '@portico/testkit'

/** The `portico` command as it was built. */
export const PORTICO = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

export interface PorticoOptions {
  /** Listeners by a name of ours, each without its address unless it is to share one. */
  readonly listeners: Readonly<Record<string, ListenerEntry>>
  /** Lines of the users file. */
  readonly users: readonly string[]
  readonly backends: unknown
  /** Laid over the rest, key by key. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Laid over its environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface ListenerEntry {
  readonly protocol: 'imap4' | 'pop3' | 'smtp' | 'http' | 'sip'
  readonly tls: 'none' | 'starttls' | 'implicit'
  readonly [key: string]: unknown
}

export interface Portico<Name extends string = string> extends RunningServer {
  readonly ports: Readonly<Record<Name, number>>
  readonly configFile: string
  readonly usersFile: string
  /** The configuration as it was written. */
  readonly config: Readonly<Record<string, unknown>>
  /** Writes another configuration in its place; nobody is told. */
  rewrite(config: unknown): void
  /** The processes that serve clients, as they were at the start. */
  readonly workers: readonly number[]
  /** The `session ended` lines so far. */
  sessions(): readonly Readonly<Record<string, unknown>>[]
}

/** Starts `portico serve` as a site would: a configuration file, a users file, certificates on the disk, a log file. */
export async function startPortico<Name extends string>(
  options: PorticoOptions & { readonly listeners: Readonly<Record<Name, ListenerEntry>> },
): Promise<Portico<Name>> {
  if (!existsSync(PORTICO)) throw new Error(`${PORTICO} has not been built`)
  const folder = privateFolder('por')
  const names = Object.keys(options.listeners) as Name[]
  const numbers = await freePorts(names.length)
  const ports = Object.fromEntries(names.map((name, index) => [name, numbers[index] ?? 0])) as Record<Name, number>
  const [configFile, usersFile, logFile] = ['portico.yaml', 'users', 'portico.log'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  writeFileSync(usersFile, `${options.users.join('\n')}\n`, { mode: 0o600 })
  const config = configuration(options, ports, usersFile, logFile)
  // YAML holds JSON within it.
  const rewrite = (value: unknown): void => writeFileSync(configFile, JSON.stringify(value, null, 2))
  rewrite(config)
  const server = await launch({
    command: process.execPath,
    args: [PORTICO, 'serve', '--config', configFile],
    folder,
    logFile,
    ports: numbers.filter((_, index) => options.listeners[names[index] as Name]?.['address'] === undefined),
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  const ready = JSON.parse(await server.logged(/"message":"ready"/)) as Pick<Portico, 'workers'>
  const stop = async (): Promise<void> => {
    const shown = linesShowing(passwordsIn(options.users), server.log().split('\n'))
    await server.stop()
    if (shown.length > 0) throw new Error(`the log shows a password: ${shown[0]}`)
  }
  return {
    ...server,
    stop,
    [Symbol.asyncDispose]: stop,
    ports,
    configFile,
    usersFile,
    config,
    workers: ready.workers,
    rewrite,
    sessions: () => sessionsIn(server.log()),
  }
}

/** Those of the users file, and that of the master user of the testbed. */
function passwordsIn(users: readonly string[]): readonly string[] {
  return ['masterpw', ...users.flatMap((line) => /^[^:]+:\{PLAIN\}([^:]{5,})/.exec(line)?.[1] ?? [])]
}

function configuration(
  options: PorticoOptions,
  ports: Readonly<Record<string, number>>,
  usersFile: string,
  logFile: string,
): Readonly<Record<string, unknown>> {
  const { server } = testCertificates()
  return {
    version: 1,
    hostname: 'portico.test.lan',
    tls: [{ names: ['localhost', '*.test.lan'], certificate: server.certificateFile, key: { file: server.keyFile } }],
    listeners: Object.entries(options.listeners).map(([name, entry]) => ({
      name,
      address: `127.0.0.1:${ports[name]}`,
      ...entry,
    })),
    credentials: [{ type: 'users-file', path: usersFile }],
    location: [{ type: 'users-file', domains: ['test.lan'] }],
    backends: options.backends,
    log: { level: 'debug', format: 'json', file: logFile },
    ...options.more,
  }
}

function sessionsIn(log: string): readonly Readonly<Record<string, unknown>>[] {
  return log
    .split('\n')
    .filter((line) => line.includes('"session ended"'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

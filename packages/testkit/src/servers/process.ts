// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../folders.js'

/** A server that runs for a test. */
export interface RunningServer extends AsyncDisposable {
  readonly pid: number
  readonly folder: string
  readonly logFile: string
  /** What it has logged so far. */
  log(): string
  /** Waits until a line of the log matches, and returns it. Throws with the log's end after `ms` (60 s). */
  logged(pattern: RegExp, ms?: number): Promise<string>
  /** Ends it, waits until its ports are closed, and removes its folder. Idempotent. */
  stop(): Promise<void>
  /** Kills it with everything it started, and waits until its ports are closed. Its folder stays, for a successor. */
  kill(): Promise<void>
}

/** A private folder, removed when the process ends at the latest; short, because socket paths are limited to 107 octets. Others may look in: servers change users. */
export function privateFolder(name: string): string {
  const folder = temporaryFolder(`p-${name}-`)
  chmodSync(folder, 0o755)
  return folder
}

/** Against hangs only: a server that ends is seen at once, and a busy machine may take long to start one. */
const PATIENCE_MS = 60_000

/** Waits until somebody listens on the port, or no longer does. */
export async function waitForPort(port: number, open: boolean, ms = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + ms
  while ((await isOpen(port)) !== open) {
    if (Date.now() > deadline) throw new Error(`port ${port} did not ${open ? 'open' : 'close'} within ${ms} ms`)
    await sleep(20)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** What {@link launch} starts. */
export interface LaunchPlan {
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly logFile: string
  readonly ports: readonly number[]
  readonly env?: NodeJS.ProcessEnv
  /** What asks it to end; SIGTERM when absent. */
  readonly stopSignal?: NodeJS.Signals
}

/** Starts a server as the leader of its own process group, and waits until all its ports answer. */
export async function launch(plan: LaunchPlan): Promise<RunningServer> {
  const child = spawn(plan.command, plan.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...plan.env },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
  })
  failed.catch(() => undefined)
  const server = running(plan, child, exited, () => said)
  try {
    await Promise.race([failed, Promise.all(plan.ports.map((port) => waitForPort(port, true)))])
  } catch (cause) {
    const words = server.log()
    await server.stop()
    throw new Error(`${plan.command} did not come up: ${(cause as Error).message}\n${words}`, { cause })
  }
  return server
}

function running(plan: LaunchPlan, child: ChildProcess, exited: Promise<void>, said: () => string): RunningServer {
  const log = (): string => readLog(plan.logFile) + said()
  const emergency = (): void => killGroup(child, 'SIGKILL')
  process.once('exit', emergency)
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    killGroup(child, plan.stopSignal ?? 'SIGTERM')
    const late = setTimeout(emergency, 5_000)
    if (child.pid !== undefined) await exited
    clearTimeout(late)
    emergency()
    process.removeListener('exit', emergency)
    await Promise.all(plan.ports.map((port) => waitForPort(port, false)))
    rmSync(plan.folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const kill = async (): Promise<void> => {
    stopped = true
    emergency()
    process.removeListener('exit', emergency)
    await exited
    await Promise.all(plan.ports.map((port) => waitForPort(port, false)))
  }
  return {
    pid: child.pid ?? 0,
    folder: plan.folder,
    logFile: plan.logFile,
    log,
    logged: (pattern, ms = PATIENCE_MS) => logged(log, pattern, ms),
    stop,
    kill,
    [Symbol.asyncDispose]: stop,
  }
}

async function logged(log: () => string, pattern: RegExp, ms: number): Promise<string> {
  const deadline = Date.now() + ms
  for (;;) {
    const line = log()
      .split('\n')
      .find((candidate) => pattern.test(candidate))
    if (line !== undefined) return line
    if (Date.now() > deadline) throw new Error(`the log has no line like ${pattern}; its end:\n${log().slice(-3_000)}`)
    await sleep(20)
  }
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group has ended already.
  }
}

// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { answers } from './ports.js'

const READY_MS = 30_000
const STOP_MS = 15_000

/** `portico serve` as a child of the demo. */
export class FrontEndProcess {
  readonly #child: ChildProcess
  /** Settles when it is gone, with how it went. */
  readonly gone: Promise<string>
  #over = false

  constructor(portico: string, configuration: string) {
    // A process group of its own: Ctrl-C reaches the demo alone, which then stops the front end in order.
    this.#child = spawn(process.execPath, [portico, 'serve', '--config', configuration], {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    this.gone = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    }).then((how) => {
      this.#over = true
      return String(how)
    })
  }

  /** True once every port answers; false when it ended, or took too long. */
  async ready(ports: readonly number[]): Promise<boolean> {
    const until = Date.now() + READY_MS
    while (!this.#over && Date.now() < until) {
      const all = await Promise.all(ports.map(answers))
      if (all.every(Boolean)) return !this.#over
      await pause(100)
    }
    return false
  }

  /** Asks it to stop, and insists after a while. */
  async stop(): Promise<void> {
    if (this.#over) return
    this.#child.kill('SIGTERM')
    const insist = setTimeout(() => this.#killAll(), STOP_MS)
    await this.gone
    clearTimeout(insist)
  }

  #killAll(): void {
    const { pid } = this.#child
    if (pid !== undefined && !this.#over) process.kill(-pid, 'SIGKILL')
  }
}

// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Asks with a command until its words are those of an empty queue; throws with the last after `ms`. */
export async function queueEmpty(command: string, args: readonly string[], empty: RegExp, ms = 30_000): Promise<void> {
  const deadline = Date.now() + ms
  for (;;) {
    const { stdout } = await promisify(execFile)(command, args)
    if (empty.test(stdout)) return
    if (Date.now() > deadline) throw new Error(`the queue is not empty after ${ms} ms:\n${stdout}`)
    await sleep(50)
  }
}

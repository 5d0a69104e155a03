// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'

/** A client that goes on until it ends or is ended. */
export interface Background {
  /** What it has printed, errors too; Latin-1. */
  said(): string
  /** Octets that it has printed. */
  received(): number
  /** Its exit code; null when it was killed. */
  readonly ended: Promise<number | null>
  /** Gives it more to read, and says that this was all. */
  write(octets: Uint8Array): void
  finish(): void
  /** The machine that it runs on fails. */
  kill(): void
}

/** Starts a client; `keep: false` when it prints too much to be kept. */
export function background(command: string, args: readonly string[], keep = true): Background {
  const child = spawn(command, args)
  let [said, received] = ['', 0]
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (keep) said += chunk.toString('latin1')
    })
  }
  child.stdin.on('error', () => undefined)
  return {
    said: () => said,
    received: () => received,
    ended: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    write: (octets) => child.stdin.write(octets),
    finish: () => child.stdin.end(),
    kill: () => child.kill('SIGKILL'),
  }
}

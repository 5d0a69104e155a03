// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'

/** What a client said, and how it ended. */
export interface ClientRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Milliseconds after which it is killed; two minutes when absent. */
  readonly patience?: number
}

/** Runs a client program to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<ClientRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...options.env }, cwd: options.cwd })
    const killer = setTimeout(() => child.kill('SIGKILL'), options.patience ?? 120_000)
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('latin1')
    })
    child.stdin.on('error', () => undefined)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(killer)
      resolve({ code, stdout, stderr })
    })
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a client that must succeed; its words when it did not. */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const done = await run(command, args, options)
  if (done.code !== 0) throw new Error(`${command} ended with ${done.code}\n${done.stdout}\n${done.stderr}`)
  return done.stdout
}

/** Runs a Python program with the system's interpreter; `arguments_` arrive in sys.argv. */
export function python(program: string, ...arguments_: readonly (string | number)[]): Promise<string> {
  return succeed('/usr/bin/python3', ['-c', program, ...arguments_.map(String)])
}

/** A private folder with one file that only its owner may read, as mail clients want their settings. */
export function settingsFile(
  name: string,
  text: string | Uint8Array,
): { readonly folder: string; readonly file: string } {
  const folder = privateFolder('cl')
  const file = join(folder, name)
  writeFileSync(file, text)
  chmodSync(file, 0o600)
  return { folder, file }
}

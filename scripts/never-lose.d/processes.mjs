// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { pick } from './random.mjs'

/** The children of a process by name, as the kernel has them: `{ pid, name }`. */
export function childrenOf(parent) {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
        const [, name, rest] = /\((.*)\) (.*)$/s.exec(stat)
        const [state, ppid] = rest.split(' ')
        return Number(ppid) === parent && state !== 'Z' ? [{ pid: Number(entry), name }] : []
      } catch {
        // It ended while it was looked at.
        return []
      }
    })
}

/** Kills one of these; nobody when all have just ended by themselves. */
export function killOneOf(random, processes) {
  if (processes.length === 0) return
  try {
    process.kill(pick(random, processes).pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

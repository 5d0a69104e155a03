// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs'

/** The most memory that these processes come to hold together while something happens, beyond what they held before; in octets. */
export async function peakGrowth(pids: readonly number[], happen: () => Promise<unknown>): Promise<number> {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, FORGET_PEAK)
  const before = total(pids, 'VmRSS')
  await happen()
  return total(pids, 'VmHWM') - before
}

/** See proc(5). */
const FORGET_PEAK = '5'

function total(pids: readonly number[], field: 'VmRSS' | 'VmHWM'): number {
  return pids.reduce((sum, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return sum + Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  }, 0)
}

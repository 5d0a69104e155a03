// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()

/** A new folder in the system's place for temporary files, with `prefix` at the head of its name; removed when the process ends. */
export function temporaryFolder(prefix: string): string {
  if (made.size === 0) {
    process.once('exit', removeAll)
    process.once('SIGTERM', leave)
  }
  const folder = mkdtempSync(join(tmpdir(), prefix))
  made.add(folder)
  return folder
}

function removeAll(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
}

/** Test runners end their processes by a signal, after which nothing of `exit` runs. */
function leave(): void {
  removeAll()
  if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
}

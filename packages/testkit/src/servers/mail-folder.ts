// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The files whose names match, of all these folders; waits up to `ms` until there are `atLeast` so many. */
export async function messagesOnceThere(
  folders: readonly string[],
  name: RegExp,
  atLeast: number,
  ms: number,
): Promise<readonly string[]> {
  const deadline = Date.now() + ms
  for (;;) {
    const mail = folders.flatMap((folder) => messagesIn(folder, name))
    if (mail.length >= atLeast || Date.now() > deadline) return mail
    await sleep(20)
  }
}

function messagesIn(folder: string, name: RegExp): string[] {
  try {
    const files = readdirSync(folder).filter((file) => name.test(file))
    return files.map((file) => readFileSync(join(folder, file), 'utf8'))
  } catch {
    return []
  }
}

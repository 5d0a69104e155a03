// SPDX-License-Identifier: MIT
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'

/** What the clock of the day shows a process; its timers go on as they are. */
export interface FakeTime {
  /** For the process's environment. */
  readonly env: Readonly<Record<string, string>>
  /** Sets its clock ahead of the machine's. */
  aheadBy(minutes: number): void
}

/** A clock of the day that a test can set, for a process that is started with its environment. */
export function fakeTime(): FakeTime {
  const file = join(privateFolder('time'), 'offset')
  const aheadBy = (minutes: number): void => writeFileSync(file, `+${minutes}m\n`)
  aheadBy(0)
  return {
    env: {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    aheadBy,
  }
}

/** The one for programs with threads; its folder is named after the machine's kind. */
function library(): string {
  const files = readdirSync('/usr/lib').map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
  return files.find((file) => existsSync(file)) ?? ''
}

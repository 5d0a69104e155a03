// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests run against the sources, so that a failing line is the line that was written. */
const sources = ['packages', 'protocols'].flatMap((place) =>
  readdirSync(`${root}${place}`).map((name) => [`@portico/${name}`, `${root}${place}/${name}/src/index.ts`]),
)

export default defineConfig({
  resolve: { alias: Object.fromEntries(sources) },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'protocols/*/test/**/*.test.ts', 'scripts/*/test/**/*.test.ts'],
    // Against hangs only: a busy machine is no failure.
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
})

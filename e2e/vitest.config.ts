// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Real clients and servers against what was built: nothing is aliased to sources here. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['*/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
    // For the scenario that looks for leaks.
    execArgv: ['--expose-gc'],
  },
})

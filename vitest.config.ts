// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests run against the sources, so that a failing line is the line that was written. */
function sourceOf(name: string): string {
  const folder = ['packages', 'protocols'].find((place) => existsSync(`${root}${place}/${name}/src`)) ?? 'packages'
  return `${root}${folder}/${name}/src/index.ts`
}

export default defineConfig({
  resolve: {
    alias: [{ find: /^@portico\/([a-z0-9-]+)$/, replacement: '$1', customResolver: (name: string) => sourceOf(name) }],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'protocols/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})

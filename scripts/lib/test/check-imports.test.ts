// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const SCRIPTS = fileURLToPath(new URL('..', import.meta.url))
const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

/** Runs a check over a workspace of these files. */
function check(name: string, files: Readonly<Record<string, string>>): { status: number | null; said: string } {
  const root = mkdtempSync(join(tmpdir(), 'portico-check-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const run = spawnSync('node', [join(SCRIPTS, `${name}.mjs`), root], { encoding: 'utf8' })
  return { status: run.status, said: run.stdout + run.stderr }
}

const CLEAN = {
  'packages/base/src/index.ts': "import { isIP } from 'node:net'\nexport * from './clock.js'\n",
  'packages/base/src/clock.ts': "// import { x } from '@portico/cli'\nexport const text = `import '@portico/cli'`\n",
  'packages/net/src/index.ts': "import { type Clock } from '@portico/base'\n",
  'packages/session/src/index.ts': "import '@portico/net'\n",
  'packages/frontend/src/index.ts': "import type { A } from '@portico/session'\n",
  'packages/testkit/src/index.ts': "import { test } from 'vitest'\nimport '@portico/frontend'\n",
  'packages/testkit/src/other.ts': "import { test } from 'vitest'\n",
  'packages/config/src/language.ts': "import { z } from 'zod'\n",
  'packages/state/src/index.ts': 'export {}\n',
  'packages/sasl/src/index.ts': 'export {}\n',
  'protocols/imap4/src/bin.ts': "import '@portico/frontend'\n",
  'protocols/imap4/src/index.ts': "export const name = 'imap4'\n",
  'protocols/imap4/test/index.test.ts': "import '../src/index.js'\nimport '@portico/testkit'\nimport 'zod'\n",
  'protocols/pop3/src/index.ts': 'export {}\n',
  'packages/cli/src/index.ts': "import { name } from '@portico/imap4'\n",
}

test('a workspace whose imports all go down is fine, whatever comments and texts say', () => {
  expect(check('check-imports', CLEAN)).toEqual({ status: 0, said: 'imports: 15 files, 0 faults\n' })
})

const PLANTED: [label: string, path: string, text: string, said: RegExp][] = [
  ['an upward import', 'packages/base/src/up.ts', "import '@portico/net'", /up\.ts:1: base must not import net/],
  [
    'an upward import of types',
    'packages/net/src/up.ts',
    "import type { S } from '@portico/session'",
    /net must not import session/,
  ],
  [
    'an upward dynamic import',
    'packages/net/src/up.ts',
    "\nawait import('@portico/session')",
    /up\.ts:2: net must not import session/,
  ],
  [
    'an upward re-export',
    'packages/net/src/up.ts',
    "export * from '@portico/frontend'",
    /net must not import frontend/,
  ],
  ['an import within the rank', 'packages/net/src/side.ts', "import '@portico/state'", /net must not import state/],
  [
    'a protocol that imports another',
    'protocols/imap4/src/side.ts',
    "import '@portico/pop3'",
    /imap4 must not import pop3/,
  ],
  [
    'a protocol that imports the front end outside its bin',
    'protocols/imap4/src/host.ts',
    "import '@portico/frontend'",
    /only bin\.ts/,
  ],
  [
    'a shipped file that imports the testkit',
    'packages/net/src/t.ts',
    "import '@portico/testkit'",
    /for tests and the demonstration/,
  ],
  [
    'a testkit that knows a protocol',
    'packages/testkit/src/p.ts',
    "import '@portico/imap4'",
    /protocols come as arguments/,
  ],
  ['a deep import', 'packages/net/src/deep.ts', "import '@portico/base/dist/clock.js'", /reaches inside a package/],
  [
    'a deep import in a test',
    'packages/net/test/deep.test.ts',
    "import '@portico/base/src/clock.js'",
    /reaches inside a package/,
  ],
  ['a path out of the package', 'packages/net/src/out.ts', "import '../../base/src/index.js'", /leaves the package/],
  [
    'a path out of the package in a test',
    'packages/net/test/out.test.ts',
    "import '../../base/src/index.js'",
    /leaves the package/,
  ],
  [
    'a third-party package in two files',
    'packages/net/src/z.ts',
    "import { z } from 'zod'",
    /zod is imported in more than one file/,
  ],
  ['a circle of files', 'packages/base/src/clock.ts', "import './index.js'", /files import each other in a circle/],
  ['a package without a rank', 'packages/newcomer/src/index.ts', "import '@portico/base'", /newcomer has no rank/],
  [
    'a mechanism that opens sockets',
    'packages/sasl/src/server.ts',
    "import { connect } from 'node:net'",
    /has to be pure/,
  ],
  ['a grammar that reads files', 'protocols/imap4/src/parse.ts', "import 'node:fs/promises'", /has to be pure/],
]

test.each(PLANTED)('%s is found', (_label, path, text, said) => {
  const outcome = check('check-imports', { ...CLEAN, [path]: `${text}\n` })
  expect(outcome.said).toMatch(said)
  expect(outcome.status).toBe(1)
})

test('types alone may refer to each other', () => {
  const files = {
    'packages/base/src/a.ts': "import type { B } from './b.js'\n",
    'packages/base/src/b.ts': "import { type A } from './a.js'\nexport const b = 1\n",
  }
  expect(check('check-imports', files).status).toBe(0)
})

test('a folder without sources is no success', () => {
  expect(check('check-imports', {}).status).toBe(1)
  expect(check('check-spdx', {}).status).toBe(1)
})

test('a file without its licence line is found, scripts without an ending too', () => {
  const licence = '// SPDX-License-Identifier: MIT\n'
  const fine = { 'packages/a/src/index.ts': licence, 'scripts/run': '#!/bin/sh\n# SPDX-License-Identifier: MIT\n' }
  expect(check('check-spdx', fine).status).toBe(0)
  const outcome = check('check-spdx', { ...fine, 'packages/a/src/b.ts': 'export {}\n', 'scripts/go': '#!/bin/sh\n' })
  expect(outcome.said).toContain('packages/a/src/b.ts: ')
  expect(outcome.said).toContain('scripts/go: ')
  expect(outcome.status).toBe(1)
})

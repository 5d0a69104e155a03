// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MODULE = fileURLToPath(new URL('../test-reports.mjs', import.meta.url))

/** The module is plain JavaScript; it is asked in a process of its own. */
function judge(question: unknown): { state: string; name: string; detail: string }[] {
  const program = `import { judgeReport } from ${JSON.stringify(MODULE)}
    console.log(JSON.stringify(judgeReport(JSON.parse(process.argv[1]))))`
  const run = spawnSync('node', ['--input-type=module', '-e', program, JSON.stringify(question)], { encoding: 'utf8' })
  return JSON.parse(run.stdout)
}

const passing = { fullName: 'works', status: 'passed', failureMessages: [] }
const file = (name: string, status: string, assertionResults: unknown[], message = '') => ({
  name: `/w/${name}`,
  status,
  assertionResults,
  message,
})
const question = (testResults: unknown[], more: Readonly<Record<string, unknown>> = {}) => ({
  label: 'run',
  status: 0,
  scenarios: [],
  root: '/w',
  requireAll: true,
  report: { testResults },
  ...more,
})

const TABLE: [label: string, question: unknown, states: string[]][] = [
  ['a test that passes', question([file('a.ts', 'passed', [passing])]), ['passed']],
  [
    'a test that fails',
    question([file('a.ts', 'failed', [{ ...passing, status: 'failed' }])], { status: 1 }),
    ['failed'],
  ],
  ['a test that is skipped', question([file('a.ts', 'passed', [{ ...passing, status: 'pending' }])]), ['skipped']],
  ['a file that cannot be loaded', question([file('a.ts', 'failed', [], 'syntax')], { status: 1 }), ['failed']],
  [
    'a run that ends badly although all pass',
    question([file('a.ts', 'passed', [passing])], { status: 1 }),
    ['passed', 'failed'],
  ],
  ['a run without tests', question([]), ['failed']],
  ['a run without a report', question([], { report: undefined, status: 1 }), ['failed']],
  [
    'a scenario of which nothing ran',
    question([file('e2e/one/a.ts', 'passed', [passing])], { scenarios: ['e2e/one', 'e2e/two'] }),
    ['passed', 'failed'],
  ],
  [
    'a scenario of which nothing ran, where that is allowed',
    question([file('e2e/one/a.ts', 'passed', [passing])], { scenarios: ['e2e/two'], requireAll: false }),
    ['passed', 'skipped'],
  ],
]

test.each(TABLE)('%s', (_label, asked, states) => {
  expect(judge(asked).map(({ state }) => state)).toEqual(states)
})

test('the tests run on the Node that was asked for', () => {
  expect(process.version).toMatch(new RegExp(`^${process.env['PORTICO_EXPECT_NODE'] ?? 'v'}`))
})

// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const MODULE = join(HERE, '../test-reports.mjs')

interface Result {
  readonly name: string
  readonly state: string
  readonly detail: string
  readonly unsteady?: string
}

/** The module is plain JavaScript; it is asked in a process of its own. */
function ask<Answer>(expression: string, question: unknown): Answer {
  const program = `import * as reports from ${JSON.stringify(MODULE)}
    const question = JSON.parse(process.argv[1])
    console.log(JSON.stringify(${expression}))`
  const run = spawnSync('node', ['--input-type=module', '-e', program, JSON.stringify(question)], { encoding: 'utf8' })
  return JSON.parse(run.stdout)
}

const passing = { name: 'works', state: 'passed' }
const failing = { name: 'works', state: 'failed', error: 'Error: late\nat /w/a.ts:1' }
const file = (name: string, tests: readonly unknown[], errors: readonly string[] = []) => ({
  path: `/w/${name}`,
  tests,
  errors,
})
const run = (files: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) => ({
  ...{ label: 'run', status: 0, root: '/w', report: { files, outside: [] } },
  ...more,
})

const TABLE: [label: string, question: unknown, states: string[]][] = [
  ['a test that passes', run([file('a.ts', [passing])]), ['passed']],
  ['a test that fails', run([file('a.ts', [failing])], { status: 1 }), ['failed']],
  ['a test that is skipped', run([file('a.ts', [{ ...passing, state: 'skipped' }])]), ['skipped']],
  ['a test that never ended', run([file('a.ts', [{ ...passing, state: 'pending' }])]), ['skipped']],
  ['a file that cannot be loaded', run([file('a.ts', [], ['syntax'])], { status: 1 }), ['failed']],
  ['a run that ends badly although all pass', run([file('a.ts', [passing])], { status: 1 }), ['passed', 'failed']],
  [
    'an error outside of tests',
    run([], { status: 1, report: { files: [file('a.ts', [passing])], outside: [{ path: '/w/a.ts', text: 'left' }] } }),
    ['passed', 'failed'],
  ],
  ['a run without tests', run([]), ['failed']],
  ['a run without a report', run([], { report: undefined, status: 1 }), ['failed']],
]

test.each(TABLE)('%s', (_label, question, states) => {
  expect(ask<Result[]>('reports.judgeReport(question)', question).map(({ state }) => state)).toEqual(states)
})

test.each([
  [true, ['failed']],
  [false, ['skipped']],
])('a scenario of which nothing ran, when all are required: %s', (requireAll, states) => {
  const results = [{ name: 'x', path: 'e2e/one/a.ts', state: 'passed' }]
  const question = { label: 'run', results, scenarios: ['e2e/one', 'e2e/two'], requireAll }
  expect(ask<Result[]>('reports.judgeScenarios(question)', question).map(({ state }) => state)).toEqual(states)
})

describe('files with failures', () => {
  const failures = (count: number) => Array.from({ length: count }, (_, at) => file(`${at}.ts`, [failing]))
  const repeated = (question: unknown): string[] =>
    ask('reports.filesToRepeat(reports.judgeReport(question))', question)

  test('run once more while they are few', () => {
    expect(repeated(run([file('a.ts', [passing])]))).toEqual([])
    expect(repeated(run([file('a.ts', [failing, failing]), file('b.ts', [passing])], { status: 1 }))).toEqual(['a.ts'])
    expect(repeated(run(failures(4), { status: 1 }))).toHaveLength(4)
    expect(repeated(run(failures(5), { status: 1 }))).toEqual([])
  })

  test('do not when something failed that belongs to no file', () => {
    expect(repeated(run([], { report: undefined, status: 1 }))).toEqual([])
    const report = { files: failures(1), outside: [{ text: 'left behind' }] }
    expect(repeated(run([], { report, status: 1 }))).toEqual([])
  })

  /** What two runs of a file come to. */
  const both = (first: unknown, second: unknown): Result[] =>
    ask('reports.judgeAgain(...question.map((each) => reports.judgeReport(each)))', [first, second])
  const once = (test: unknown, errors: readonly string[] = []) => run([file('a.ts', [test], errors)], { status: 1 })

  test.each<[label: string, first: unknown, second: unknown, states: string[], unsteady: string[]]>([
    ['a test that passes then is unsteady', once(failing), run([file('a.ts', [passing])]), ['passed'], ['Error: late']],
    ['one that fails twice has failed', once(failing), once({ ...failing, error: 'other' }), ['failed'], []],
    [
      'one that failed only then is unsteady',
      run([file('a.ts', [passing])]),
      once(failing),
      ['passed'],
      ['Error: late'],
    ],
    ['what does not run then has failed', once(failing), run([], { report: undefined }), ['failed', 'failed'], []],
    [
      'what could not begin and passes then',
      once({ ...passing, state: 'skipped' }, ['no stage']),
      run([file('a.ts', [passing])]),
      ['passed', 'unsteady'],
      ['no stage'],
    ],
    [
      'what could not begin and fails then',
      once({ ...passing, state: 'skipped' }, ['no stage']),
      once(failing),
      ['failed', 'failed'],
      [],
    ],
    [
      'an end that goes wrong only then',
      once(failing),
      once(passing, ['no end']),
      ['passed', 'failed'],
      ['Error: late'],
    ],
  ])('%s', (_label, first, second, states, unsteady) => {
    const results = both(first, second)
    expect(results.map(({ state }) => state)).toEqual(states)
    expect(results.flatMap((result) => result.unsteady?.split('\n')[0] ?? [])).toEqual(unsteady)
  })

  test('a failure keeps its first reason', () => {
    expect(both(once(failing), once({ ...failing, error: 'other' }))[0]?.detail).toContain('late')
  })
})

test('the summary names what failed with its reason, what was skipped, and what was unsteady', () => {
  const results = [
    { name: 'a', state: 'passed', detail: '' },
    { name: 'b', state: 'failed', detail: `Error: one\n\nat two\n${'x\n'.repeat(20)}` },
    { name: 'c', state: 'skipped', detail: 'no server' },
    { name: 'd', state: 'passed', detail: '', unsteady: 'Error: late\nat three' },
  ]
  const lines = ask<string[]>('reports.summary(question)', results)
  expect(lines.slice(0, 2)).toEqual(['failed: b: Error: one', '    at two'])
  expect(lines.slice(6)).toEqual(['skipped: c: no server', 'unsteady: d: Error: late', '    at three'])
})

describe('the reporter', () => {
  // Inside of the workspace, so that vitest is found.
  const folder = mkdtempSync(join(HERE, '../../../node_modules/.reporter-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('tells the message of a test that took too long, and errors from outside of tests', () => {
    writeFileSync(
      join(folder, 'a.test.mjs'),
      `import { beforeAll, describe, test } from 'vitest'
       test('takes long', () => new Promise(() => undefined), 50)
       test('leaves one behind', () => void Promise.reject(new Error('left behind')))
       describe('suite', () => {
         beforeAll(() => { throw new Error('no stage') })
         test('waits', () => undefined)
       })`,
    )
    const report = join(folder, 'report.json')
    const vitest = join(HERE, '../../../node_modules/vitest/vitest.mjs')
    const options = ['--root', folder, `--reporter=${join(HERE, '../reporter.mjs')}`]
    writeFileSync(join(folder, 'vitest.config.mjs'), `export default { test: { include: ['*.test.mjs'] } }`)
    const env = { ...process.env, PORTICO_TEST_REPORT: report }
    spawnSync(process.execPath, [vitest, 'run', ...options], { env })
    const { files, outside } = JSON.parse(readFileSync(report, 'utf8'))
    expect(files[0].tests.map(({ state }: { state: string }) => state)).toEqual(['failed', 'passed', 'skipped'])
    expect(files[0].tests[0].error).toMatch(/^Error: Test timed out in 50ms/)
    expect(files[0].errors[0]).toMatch(/^Error: no stage\nat .*a\.test\.mjs:5/)
    expect(outside[0]).toMatchObject({ path: files[0].path, text: expect.stringContaining('left behind') })
  })
})

test('the tests run on the Node that was asked for', () => {
  expect(process.version).toMatch(new RegExp(`^${process.env['PORTICO_EXPECT_NODE'] ?? 'v'}`))
})

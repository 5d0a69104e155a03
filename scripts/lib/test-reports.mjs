// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'

/** What reporter.mjs wrote; undefined when it wrote nothing. */
export function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * One result for each test: its name, its file, `passed`, `failed` or `skipped`, and why. An error of a file outside of its tests
 * is one failure; so are a missing report, a run that ended badly without a failure, and a run without any test.
 */
export function judgeReport({ label, report, status, root }) {
  if (report === undefined) return [{ name: label, state: 'failed', detail: `no report; it ended with ${status}` }]
  const inRoot = (path) => relative(root, path).split(sep).join('/')
  const results = report.files.flatMap((file) => judgeFile(label, inRoot(file.path), file))
  for (const { path, text } of report.outside) {
    if (path === undefined) results.push({ name: label, state: 'failed', detail: text })
    else results.push(fileFailure(label, inRoot(path), text))
  }
  if (status !== 0 && !results.some(({ state }) => state === 'failed')) {
    results.push({ name: label, state: 'failed', detail: `it ended with ${status}, outside of a test` })
  }
  if (results.length === 0) results.push({ name: label, state: 'failed', detail: 'no test ran' })
  return results
}

function judgeFile(label, path, { tests, errors }) {
  const results = tests.map(({ name, state, error }) => ({
    name: `${label}: ${path}: ${name}`,
    path,
    state: state === 'passed' || state === 'failed' ? state : 'skipped',
    detail: error ?? '',
  }))
  return errors.length === 0 ? results : [...results, fileFailure(label, path, errors[0])]
}

function fileFailure(label, path, detail) {
  return { name: `${label}: ${path}`, path, state: 'failed', detail, whole: true }
}

/** A scenario of which no test ran has failed when all of them are required; otherwise it is skipped. */
export function judgeScenarios({ label, results, scenarios, requireAll }) {
  const ran = (scenario) => results.some(({ state, path }) => state === 'passed' && path?.startsWith(`${scenario}/`))
  const state = requireAll ? 'failed' : 'skipped'
  return scenarios
    .filter((scenario) => !ran(scenario))
    .map((scenario) => ({ name: `${label}: ${scenario}`, state, detail: 'nothing of it ran' }))
}

/** More files than these with failures are no accident. */
const MOST_REPEATED = 4

/** The files that deserve another run: those with failures, if they are few, and if nothing failed that belongs to no file. */
export function filesToRepeat(results) {
  const failed = results.filter(({ state }) => state === 'failed')
  const paths = new Set(failed.map(({ path }) => path))
  return paths.has(undefined) || paths.size > MOST_REPEATED ? [] : [...paths]
}

/**
 * What holds after some files ran once more: what passed in one of the two runs has passed, and is `unsteady` with the reason if
 * it failed in the other; what failed twice has failed, for its first reason.
 */
export function judgeAgain(first, second) {
  const failures = second.filter(({ state }) => state === 'failed')
  const failed = (name) => failures.find((result) => result.name === name)
  const passed = (name) => second.some((result) => result.name === name && result.state === 'passed')
  const loaded = (path) => second.some((result) => result.path === path && result.state === 'passed')
  const judged = first.map((result) => {
    const { name, path, state, detail, whole } = result
    const again = failed(name)
    if (state === 'passed') return again === undefined ? result : { ...result, unsteady: again.detail }
    if (state === 'skipped') return second.find((other) => other.name === name) ?? result
    if (again !== undefined) return result
    if (whole) return loaded(path) ? { ...result, state: 'unsteady', unsteady: detail } : result
    return passed(name) ? { ...result, state: 'passed', unsteady: detail } : result
  })
  const known = new Set(first.map(({ name }) => name))
  return [...judged, ...failures.filter(({ name }) => !known.has(name))]
}

/** How many passed; which failed, which were skipped, and which passed only once in two runs. */
export function tally(results) {
  return {
    passed: results.filter(({ state }) => state === 'passed').length,
    failed: results.filter(({ state }) => state === 'failed'),
    skipped: results.filter(({ state }) => state === 'skipped'),
    unsteady: results.filter(({ unsteady }) => unsteady !== undefined),
  }
}

/** As much of a failure as is worth its place in a summary. */
const [MOST_LINES, MOST_WIDTH] = [6, 300]

/**
 * The summary: a line for each result that did not simply pass, a few for what failed, if only once: the seed and the counterexample of
 * a property are among them, and that it held for other inputs the next time does not refute them.
 */
export function summary(results) {
  const { failed, skipped, unsteady } = tally(results)
  return [
    ...failed.flatMap(({ name, detail }) => told('failed', name, detail)),
    ...skipped.map(({ name, detail }) => `skipped: ${name}${detail === '' ? '' : `: ${detail}`}`),
    ...unsteady.flatMap((result) => told('unsteady', result.name, result.unsteady)),
  ]
}

function told(what, name, detail) {
  const [line, ...more] = shortened(detail)
  return [`${what}: ${name}: ${line}`, ...more.map((each) => `    ${each}`)]
}

function shortened(detail) {
  const lines = detail.split('\n').filter((line) => line.trim() !== '')
  return (lines.length === 0 ? ['no reason was given'] : lines.slice(0, MOST_LINES)).map((line) =>
    line.slice(0, MOST_WIDTH),
  )
}

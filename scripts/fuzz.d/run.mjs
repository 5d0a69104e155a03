// SPDX-License-Identifier: MIT
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { corpusOf, keep } from './corpus.mjs'
import { examine } from './engine.mjs'
import { inputsFor } from './inputs.mjs'
import { makeTargets } from './targets/index.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' }, list: { type: 'boolean' } },
})
const RUNS = 200
const MOST_GROWTH = 8 * 1024 * 1024

/** The parsers as they were built. */
const load = (where, module) => import(new URL(`../../${where}/dist/${module}.js`, import.meta.url))
const targets = await makeTargets(load)
const wanted = positionals.length > 0 ? positionals : targets.map(({ name }) => name)
for (const name of wanted) if (!targets.some((target) => target.name === name)) throw new Error(`no parser ${name}`)
if (values.list) {
  console.log(targets.map(({ name }) => name).join('\n'))
  process.exit(0)
}
let findings = 0
for (const target of targets) if (wanted.includes(target.name)) findings += await fuzz(target)
console.log(findings === 0 ? 'nothing found' : `${findings} found`)
process.exit(findings === 0 ? 0 : 1)

/** Rounds of inputs until the time is up or something is found. */
async function fuzz(target) {
  const corpus = corpusOf(target.name).map(({ bytes }) => bytes)
  const inputs = inputsFor(target, corpus)
  const property = fc.asyncProperty(inputs, (bytes) => examine(target, bytes))
  for (const bytes of corpus) await examine(target, bytes)
  const until = performance.now() + Number(values.seconds) * 1_000
  let [round, runs, before] = [0, 0, 0]
  do {
    const seed = values.seed === undefined ? (Math.random() * 2 ** 31) | 0 : Number(values.seed) + round
    const details = await fc.check(property, { seed, numRuns: RUNS, endOnFailure: false })
    if (details.failed) return report(target, details)
    runs += details.numRuns
    round += 1
    if (round === 1) before = heap()
  } while (performance.now() < until)
  const grown = heap() - before
  if (round > 3 && grown > MOST_GROWTH) {
    console.log(`${target.name}: ${runs} inputs left ${(grown / 1024 / 1024).toFixed(1)} MiB behind`)
    return 1
  }
  console.log(`${target.name}: ${runs} inputs, nothing`)
  return 0
}

function heap() {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function report(target, { counterexample, counterexamplePath, errorInstance, seed }) {
  const [bytes] = counterexample
  const error = errorInstance?.stack ?? String(errorInstance)
  const file = keep(target.name, { bytes, error, seed, path: counterexamplePath })
  console.log(
    `${target.name}: found with seed ${seed}, path ${counterexamplePath}: ${JSON.stringify(bytes.toString('latin1'))}`,
  )
  console.log(`${error}\nkept in ${file}`)
  return 1
}

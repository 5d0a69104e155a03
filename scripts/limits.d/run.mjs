// SPDX-License-Identifier: MIT
// Runs the measurements one after the other, prints a table, and judges.
import { measureIdle } from './idle.mjs'
import { measureLiterals } from './literals.mjs'
import { prepareStage } from './processes.mjs'
import { measureSlow } from './slow.mjs'

// What was started ends with this process, and folders are removed.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const MEASUREMENTS = { idle: measureIdle, literals: measureLiterals, slow: measureSlow }
const only = process.env.MEASURE_ONLY?.split(',') ?? Object.keys(MEASUREMENTS)
const stage = prepareStage()
let missed = 0
console.log('| what | measured | budget | |\n| --- | --- | --- | --- |')
for (const name of only) {
  const measure = MEASUREMENTS[name]
  if (measure === undefined) throw new Error(`MEASURE_ONLY knows ${Object.keys(MEASUREMENTS).join(', ')}, not ${name}`)
  for await (const { name: what, measured, budget, kept } of measure(stage)) {
    if (!kept) missed += 1
    console.log(`| ${what} | ${measured} | ${budget} | ${kept ? 'kept' : '**missed**'} |`)
  }
}
console.log(missed === 0 ? '\nall budgets kept' : `\n${missed} budgets missed`)
process.exit(missed === 0 ? 0 : 1)

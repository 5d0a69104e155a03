// SPDX-License-Identifier: MIT
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.mjs'
import { startStage } from './stage.mjs'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '3000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '30' },
    'at-once': { type: 'string', default: '40' },
    kills: { type: 'string' },
    workers: { type: 'string', default: '3' },
  },
})
const messages = Number(values.messages)
const seed = Number(values.seed)
const options = {
  seed,
  messages,
  atOnce: Number(values['at-once']),
  kills: values.kills === undefined ? Math.max(11, Math.round(messages / 50)) : Number(values.kills),
  until: performance.now() + Number(values.minutes) * 60_000,
}

// What was started ends with this process, if it ends in an orderly way.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

const stage = await startStage({ workers: Number(values.workers) })
let failed = true
try {
  const result = await campaign(stage, options)
  report(result)
  failed = result.failures.length > 0
} finally {
  await stage.stop()
}
process.exit(failed ? 1 : 0)

function report({ failures, duplicates, counts, attempts, kills, letters }) {
  const by = (list, key) => Object.entries(Object.groupBy?.(list, key) ?? grouped(list, key))
  const told = (list, key) =>
    by(list, key)
      .map(([name, some]) => `${some.length} ${name}`)
      .join(', ')
  console.log(`seed ${seed}; killed: ${told(kills, ({ victim }) => victim)}`)
  console.log(`at steps: ${told(kills, ({ step }) => step)}`)
  for (const { kind, text } of duplicates) console.log(`duplicate, ${kind}: ${text}`)
  for (const failure of failures) console.log(`FAILED, ${failure}`)
  const kinds = told(duplicates, ({ kind }) => kind)
  const bad = ['lost', 'damaged', 'uncalled', 'unfinished', 'unexplained'].map((kind) => `${counts[kind]} ${kind}`)
  console.log(
    `never-lose: ${letters} letters, ${attempts} attempts, ${kills.length} kills; ${counts.taken} promised, ` +
      `${counts.found} of them found; ${duplicates.length} duplicates (${kinds}); ${bad.join(', ')}`,
  )
}

function grouped(list, key) {
  const groups = {}
  for (const item of list) {
    const name = key(item)
    groups[name] ??= []
    groups[name].push(item)
  }
  return groups
}

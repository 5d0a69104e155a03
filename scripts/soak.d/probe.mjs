// SPDX-License-Identifier: MIT
// Loaded into every process of the front end: on SIGUSR2 it collects garbage and writes down what the process holds.
import { renameSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const folder = process.env.PORTICO_SOAK_FOLDER

process.on('SIGUSR2', async () => {
  for (let round = 0; round < 4; round++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const { heapUsed, external } = process.memoryUsage()
  const held = { memory: heapUsed + external }
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1
  writeFileSync(`${folder}/${process.pid}.part`, JSON.stringify(held))
  renameSync(`${folder}/${process.pid}.part`, `${folder}/${process.pid}.json`)
})

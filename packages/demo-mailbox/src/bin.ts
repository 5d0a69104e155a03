#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { parseArgs } from 'node:util'
import { runDemo } from './demo/run-demo.js'

const { values } = parseArgs({ options: { portico: { type: 'string' } } })
if (values.portico === undefined) {
  process.stderr.write('usage: portico-demo-mailbox --portico PATH-OF-PORTICO\n')
  process.exitCode = 2
} else {
  const stop = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
  process.exitCode = await runDemo(values.portico, stop, (text) => void process.stdout.write(text))
}

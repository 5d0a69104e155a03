// SPDX-License-Identifier: MIT
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { certificate } from '../bench.d/peers.mjs'

const at = (file) => fileURLToPath(new URL(file, import.meta.url))

/** The files that a front end needs. */
export function prepareStage() {
  const folder = mkdtempSync(join(tmpdir(), 'portico-limits-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const users = join(folder, 'users')
  writeFileSync(users, 'alice:{PLAIN}secret::::::group=mbx\n', { mode: 0o600 })
  return { ...certificate(folder), users }
}

/** A front end of its own for each measurement: what one leaves behind is not the next one's. */
export async function startFrontEnd({ cert, key, users }, limits = {}) {
  const child = fork(at('front-end.mjs'), [cert, key, users, JSON.stringify(limits)], { execArgv: ['--expose-gc'] })
  const { ports } = await answer(child)
  return { process: child, ports }
}

export function startFlock() {
  return fork(at('flock.mjs'))
}

/** One question to a child, one answer. */
export async function ask(child, question) {
  const answered = answer(child)
  child.send(question)
  return answered
}

function answer(child) {
  return new Promise((resolve, reject) => {
    const gone = (code) => reject(new Error(`a process ended with ${code}`))
    child.once('exit', gone)
    child.once('message', (message) => {
      child.removeListener('exit', gone)
      resolve(message)
    })
  })
}

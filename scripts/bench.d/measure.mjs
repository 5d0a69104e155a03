// SPDX-License-Identifier: MIT
// What run.mjs and idle.mjs share: the pinned processes beside the proxies.
import { fork } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { certificate, freePorts } from './peers.mjs'

export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')

/** Who signs in over HTTP, where the peer signs people in. */
export const BASIC = `Authorization: Basic ${Buffer.from('web:secret').toString('base64')}\r\n`

const pinned = (file, args) =>
  fork(join(root, 'scripts/bench.d', file), args, {
    execPath: '/usr/bin/taskset',
    execArgv: ['-c', '0', process.execPath],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
const message = (child) => new Promise((done) => child.once('message', done))

/** A folder with a certificate, and the sink; `run` is told of both. */
export async function withSink(run) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'))
  const log = openSync(join(folder, 'peers.log'), 'w')
  const numbers = await freePorts(6)
  const sinkProcess = pinned('sink.mjs', numbers.map(String))
  const { ports: sink } = await message(sinkProcess)
  try {
    await run({ folder, tls: certificate(folder), sink, root, log })
  } catch (error) {
    console.error(readFileSync(join(folder, 'peers.log'), 'utf8').slice(-2000))
    throw error
  } finally {
    sinkProcess.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A client that has opened its connections: `go` lets it do its units and returns what came of them, `stop` ends it. */
export async function client(order) {
  const child = pinned('generate.mjs', [])
  const ready = message(child)
  child.send(order)
  await ready
  return {
    async go() {
      const ended = message(child)
      child.send('go')
      const result = await ended
      if (result.done !== true) throw new Error(`${order.row}: the client did not finish`)
      if (result.errors > 0) throw new Error(`${order.row}: ${result.errors} errors, the first: ${result.first}`)
      return result
    },
    stop() {
      child.disconnect()
    },
  }
}

// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { existsSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Control } from '@portico/frontend'
import { metricsText } from '@portico/telemetry'

const LONGEST = 100
const LONGEST_ANSWER = 16 * 1024 * 1024
const ANSWER_MS = 60_000

/**
 * Where the front end of a configuration file is spoken to when the file names no other place. In a folder that everybody may
 * write to another user could take the name first and keep root's from starting.
 */
export function defaultControlPath(configPath: string, { XDG_RUNTIME_DIR }: NodeJS.ProcessEnv): string {
  const name = createHash('sha256').update(resolve(configPath)).digest('hex').slice(0, 16)
  const uid = process.getuid?.() ?? 0
  const shared = uid === 0 && existsSync('/run') ? '/run' : tmpdir()
  return join(XDG_RUNTIME_DIR ?? shared, `portico-${uid}-${name}.sock`)
}

/** Answers `reload` and `metrics` on a Unix socket that only this user can open: `ok` and an answer, or the reason why not. */
export async function serveControl(path: string, control: Control): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    converse(socket, control).catch(() => socket.destroy())
  })
  await removeStale(path)
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    const mask = process.umask(0o177)
    server.listen(path, done)
    process.umask(mask)
  })
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done))
      // Whoever only holds a connection must not hold the exit.
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function converse(socket: Socket, control: Control): Promise<void> {
  socket.on('error', () => undefined)
  socket.setTimeout(ANSWER_MS, () => socket.destroy())
  const asked = await textOf(socket, LONGEST, (text) => text.includes('\n'))
  try {
    socket.end(`ok\n${await answerTo(asked.trim(), control)}`)
  } catch (error) {
    socket.end(`failed\n${(error as Error).message}\n`)
  }
}

async function answerTo(asked: string, control: Control): Promise<string> {
  if (asked === 'metrics') return metricsText(await control.metrics())
  if (asked !== 'reload') throw new Error('expected reload or metrics')
  await control.reload()
  return ''
}

/** A socket file that nobody serves was left by a process that died. */
async function removeStale(path: string): Promise<void> {
  const answers = await new Promise<boolean>((done) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      done(true)
    })
    probe.once('error', () => done(false))
  })
  if (answers) throw new Error(`another front end is already controlled by ${path}`)
  rmSync(path, { force: true })
}

/** Asks a running front end something, and gives its answer. Rejects with its reason, or when nobody is there. */
export async function askControl(path: string, what: 'reload' | 'metrics'): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const owner = ownerOf(path)
  if (owner === undefined) throw new Error(`no front end listens on ${path}: is it running with this file?`)
  if (uid !== 0 && owner !== uid && owner !== 0) throw new Error(`${path} belongs to somebody else`)
  const socket = connect(path)
  socket.write(`${what}\n`)
  const said = await textOf(socket, LONGEST_ANSWER, () => false)
  const verdict = said.split('\n', 1)[0] ?? ''
  const answer = said.slice(verdict.length + 1)
  if (verdict !== 'ok') throw new Error(answer.trimEnd() || 'the front end did not answer')
  return answer
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid
  } catch {
    return undefined
  }
}

/** What the other side sends until it ends, `enough` says so, or it was too much. */
function textOf(socket: Socket, most: number, enough: (text: string) => boolean): Promise<string> {
  return new Promise((done, failed) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      if (text.length > most) return
      text += data
      if (enough(text) || text.length > most) done(text)
    })
    socket.on('end', () => done(text))
    socket.on('close', () => done(text))
    socket.on('error', failed)
  })
}

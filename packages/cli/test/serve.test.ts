// SPDX-License-Identifier: MIT
import { type ChildProcess, execFile, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { freePorts, privateFolder } from '@portico/testkit'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { defaultControlPath } from '../src/control.js'
import { Client } from './line-client.js'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const WORKER = fileURLToPath(new URL('../dist/worker.js', import.meta.url))
const running = new Set<Portico>()

/** Each starts several processes, one after the other, and a busy machine is no failure. */
vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => {
  execFileSync('npx', ['tsc', '-b', 'packages/cli'], { cwd: fileURLToPath(new URL('../../..', import.meta.url)) })
}, 120_000)

afterEach(async () => {
  for (const portico of running) await portico.kill()
})

const GOOD = {
  version: 1,
  hostname: 'door.test',
  listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'none', plaintextPasswords: 'loopback' }],
  credentials: [{ type: 'users-file', path: 'users' }],
  location: [{ type: 'users-file' }],
  backends: { one: { imap4: { endpoints: ['127.0.0.1:1'] } } },
  auth: { delays: ['0s'], failuresPerUserAndAddress: 2 },
}

function place(config: unknown): string {
  const folder = privateFolder('cli')
  writeFileSync(join(folder, 'users'), 'alice:{PLAIN}secret::::::group=one\n', { mode: 0o600 })
  const file = join(folder, 'portico.yaml')
  writeFileSync(file, JSON.stringify(config))
  return file
}

interface LogLine {
  readonly message: string
  readonly workers?: readonly number[]
  readonly listeners?: readonly { readonly port: number }[]
  readonly why?: string
}

/** A running `portico serve`, and what it logs. */
class Portico {
  readonly child: ChildProcess
  readonly #lines: LogLine[] = []
  readonly #looks = new Set<() => void>()
  /** All that it and its workers have said on stderr, when the last of them has ended. */
  readonly complaints: Promise<string>

  constructor(file: string, workers: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [BIN, 'serve', '--config', file, '--workers', workers], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    running.add(this)
    if (this.child.stdout === null || this.child.stderr === null) throw new Error('no output')
    this.complaints = text(this.child.stderr)
    createInterface(this.child.stdout).on('line', (text) => {
      this.#lines.push(JSON.parse(text))
      for (const look of this.#looks) look()
    })
  }

  /** The first line with this message that was not taken yet. */
  line(message: string): Promise<LogLine> {
    return new Promise((resolve) => {
      const look = () => {
        const index = this.#lines.findIndex((line) => line.message === message)
        if (index < 0) return
        this.#looks.delete(look)
        resolve(this.#lines.splice(index, 1)[0] as LogLine)
      }
      this.#looks.add(look)
      look()
    })
  }

  async kill(): Promise<void> {
    running.delete(this)
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}

/** The environment in which the workers with these numbers, counted from 1 in the order of their forks, die at their beginning. */
function killing(...ids: readonly number[]): Record<string, string> {
  const file = join(privateFolder('cli'), 'kill.mjs')
  const body = `if ([${ids}].includes(cluster.worker?.id)) process.kill(process.pid, 'SIGKILL')`
  writeFileSync(file, `import cluster from 'node:cluster'\n${body}\n`)
  return { NODE_OPTIONS: `--import=${pathToFileURL(file)}` }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => undefined)
    socket.once('close', (failed) => resolve(!failed))
  })
}

/** Waits until the supervisor has forked a worker, which does not hear anything yet. */
async function child({ child: { pid } }: Portico): Promise<void> {
  await expect
    .poll(() => execFileSync('ps', ['-e', '-o', 'ppid='], { encoding: 'utf8' }).split(/\s+/))
    .toContain(`${pid}`)
}

function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

test('an answer that nobody reads to its end is no error', async () => {
  const child = spawn(process.execPath, [BIN, 'config', 'docs'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  expect([said, code]).toEqual(['', 0])
})

describe('portico serve', () => {
  test('a worker that dies is replaced while connections go on', async () => {
    const portico = new Portico(place(GOOD), '2')
    const ready = await portico.line('ready')
    const port = ready.listeners?.[0]?.port ?? 0
    expect(ready.workers).toHaveLength(2)
    const [victim] = ready.workers ?? []
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
    for (let i = 0; i < 20; i += 1) expect(await greeting(port)).toMatch(/^\* OK/)
    await portico.line('a worker died and is replaced')
    const { workers } = await portico.line('the worker is replaced')
    expect(workers).toHaveLength(2)
    expect(workers).not.toContain(victim)
    expect(await greeting(port)).toMatch(/^\* OK/)
  })

  test('a worker that dies at its start while another serves is replaced', async () => {
    const portico = new Portico(place(GOOD), '2', killing(2))
    await portico.line('a worker died and is replaced')
    const { listeners } = await portico.line('ready')
    expect(await greeting(listeners?.[0]?.port ?? 0)).toMatch(/^\* OK/)
    expect((await portico.line('the worker is replaced')).workers).toHaveLength(2)
  })

  test('when the first worker dies at its start the next one serves', async () => {
    const portico = new Portico(place(GOOD), '2', killing(1))
    await portico.line('a worker died before it was ready')
    const { workers, listeners } = await portico.line('ready')
    expect(workers).toHaveLength(2)
    expect(await greeting(listeners?.[0]?.port ?? 0)).toMatch(/^\* OK/)
  })

  test('a start at which every worker dies ends it with 1 and the reason', async () => {
    const portico = new Portico(place(GOOD), '2', killing(1, 2))
    expect(await once(portico.child, 'exit')).toEqual([1, null])
    expect(await portico.complaints).toMatch(/every worker died before it was ready/)
  })

  test('an address that is taken ends it with 1 and the reason', async () => {
    const other = new Portico(place(GOOD), '1')
    const port = (await other.line('ready')).listeners?.[0]?.port ?? 0
    const [listener] = GOOD.listeners
    const portico = new Portico(place({ ...GOOD, listeners: [{ ...listener, address: `127.0.0.1:${port}` }] }), '2')
    expect(await once(portico.child, 'exit')).toEqual([1, null])
    expect(await portico.complaints).toMatch(/EADDRINUSE|in use/)
  })

  test('workers whose supervisor is killed end without a word', async () => {
    const portico = new Portico(place(GOOD), '2')
    await portico.line('ready')
    await portico.kill()
    // A worker that lived on would hold it open.
    expect(await portico.complaints).toBe('')
  })

  test('a worker whose supervisor has gone before it could report ends without a word', async () => {
    const worker = fork(WORKER, { silent: true })
    worker.disconnect()
    const [[code], said] = await Promise.all([once(worker, 'exit'), text(worker.stderr ?? process.stdin)])
    expect({ code, said }).toEqual({ code: 0, said: '' })
  })

  test('what is ordered while a replaced worker starts holds for that worker too', async () => {
    const file = place(GOOD)
    const portico = new Portico(file, '1')
    const { workers: [victim = 0] = [] } = await portico.line('ready')
    process.kill(victim, 'SIGKILL')
    await portico.line('a worker died and is replaced')
    await child(portico)
    writeFileSync(file, JSON.stringify({ ...GOOD, hostname: 'other.test' }))
    portico.child.kill('SIGHUP')
    const { listeners } = await portico.line('reloaded')
    expect(await greeting(listeners?.[0]?.port ?? 0)).toMatch(/other\.test/)
  })

  test('SIGTERM while a replaced worker starts ends both', async () => {
    const portico = new Portico(place(GOOD), '1')
    const { workers: [victim = 0] = [] } = await portico.line('ready')
    process.kill(victim, 'SIGKILL')
    await portico.line('a worker died and is replaced')
    await child(portico)
    portico.child.kill('SIGTERM')
    expect(await once(portico.child, 'exit')).toEqual([0, null])
  })

  test.each(['0', '1'])('root becomes the user of the configuration (%s workers)', async (workers) => {
    const id = (...args: readonly string[]) => execFileSync('id', args, { encoding: 'utf8' }).trim()
    const user = { name: 'nobody', group: id('-gn', 'nobody') }
    const portico = new Portico(place({ ...GOOD, user }), workers)
    const { workers: [pid = portico.child.pid] = [] } = await portico.line('ready')
    const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    expect(uid).toBe(id('-u') === '0' ? id('-u', 'nobody') : id('-u'))
  })

  test('a client that only holds the control socket does not hold the exit', async () => {
    const file = place(GOOD)
    const socket = join(file, '..', 'control')
    writeFileSync(file, JSON.stringify({ ...GOOD, admin: { socket } }))
    const portico = new Portico(file, '0')
    await portico.line('ready')
    const holder = connect(socket).on('error', () => undefined)
    await once(holder, 'connect')
    expect(await run('reload', '--config', file)).toMatchObject({ code: 0 })
    portico.child.kill('SIGTERM')
    expect(await once(portico.child, 'exit')).toEqual([0, null])
  })

  test('workers count failed sign-ins together', async () => {
    const portico = new Portico(place(GOOD), '2')
    const port = (await portico.line('ready')).listeners?.[0]?.port ?? 0
    const answers: string[] = []
    for (let i = 0; i < 8; i += 1) {
      using client = Client.to(port)
      await client.line()
      answers.push((await client.ask(`a LOGIN alice wrong${i}`)) ?? '')
    }
    expect(answers.slice(0, 2).every((answer) => answer.includes('[AUTHENTICATIONFAILED]'))).toBe(true)
    expect(answers.slice(2).every((answer) => answer.includes('[LIMIT]'))).toBe(true)
  })

  test.each(['0', '2'])('what all processes have counted is told together (%s workers)', async (workers) => {
    const listener = { protocol: 'smtp', address: '127.0.0.1:0', tls: 'none', connector: 'inbound' }
    const agent = { type: 'ip-list', block: ['127.0.0.1'], when: 'connect' }
    const smtp = { connectors: { inbound: { domains: ['door.test'] } }, agents: [agent] }
    const file = place({ ...GOOD, listeners: [...GOOD.listeners, listener], smtp })
    const portico = new Portico(file, workers)
    const port = (await portico.line('ready')).listeners?.[1]?.port ?? 0
    for (let i = 0; i < 5; i += 1) expect(await greeting(port)).toMatch(/^554 5\.7\.1/)
    const told = await run('metrics', '--config', file)
    expect(told).toMatchObject({ code: 0, err: '' })
    expect(told.out).toContain(
      'portico_smtp_agent_opinions_total{agent="ip-list",event="connect",opinion="against",action="reject"} 5\n',
    )
  })

  test('reload takes a good file, and a bad one changes nothing and says why', async () => {
    const file = place(GOOD)
    const portico = new Portico(file, '2')
    const port = (await portico.line('ready')).listeners?.[0]?.port ?? 0
    using live = Client.to(port)
    await live.line()
    writeFileSync(file, JSON.stringify({ ...GOOD, nonsense: 1 }))
    const refused = await run('reload', '--config', file)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.err).toMatch(/portico\.yaml:1:\d+: nonsense: unknown key/)
    expect(await greeting(port)).toMatch(/door\.test/)
    writeFileSync(file, JSON.stringify({ ...GOOD, hostname: 'other.test' }))
    expect(await run('reload', '--config', file)).toMatchObject({ code: 0, out: 'reloaded\n' })
    for (let i = 0; i < 6; i += 1) expect(await greeting(port)).toMatch(/other\.test/)
    expect(await live.ask('a NOOP')).toMatch(/^a OK/)
    await portico.line('reloaded')
    portico.child.kill('SIGHUP')
    await portico.line('reloaded')
  })

  test('a SIGHUP that comes as soon as the port answers is neither lost nor the end', async () => {
    const [port = 0] = await freePorts(1)
    const [listener] = GOOD.listeners
    const portico = new Portico(place({ ...GOOD, listeners: [{ ...listener, address: `127.0.0.1:${port}` }] }), '2')
    while (!(await answers(port))) await new Promise((resolve) => setImmediate(resolve))
    portico.child.kill('SIGHUP')
    await portico.line('ready')
    await portico.line('reloaded')
    expect(await greeting(port)).toMatch(/^\* OK/)
  })

  test.each(['0', '2'])('SIGTERM drains and exits with 0 (%s workers)', async (workers) => {
    const portico = new Portico(place(GOOD), workers)
    const port = (await portico.line('ready')).listeners?.[0]?.port ?? 0
    using client = Client.to(port)
    await client.line()
    portico.child.kill('SIGTERM')
    expect(await client.line()).toMatch(/^\* BYE/)
    expect(await once(portico.child, 'exit')).toEqual([0, null])
  })

  test('a file that cannot be used ends it with 1 and the reason', async () => {
    const answer = await run('serve', '--config', place({ ...GOOD, location: [{ type: 'hash', group: 'two' }] }))
    expect(answer.code).toBe(1)
    expect(answer.err).toMatch(/portico\.yaml:1:\d+: location\[0\]\.group: expected one of the groups one/)
  })
})

describe('the other commands', () => {
  test('check asks the protocols about their own parts', async () => {
    const smtp = { protocol: 'smtp', address: '127.0.0.1:0', tls: 'none', connector: 'partners' }
    const { code, err } = await run('check', '--config', place({ ...GOOD, listeners: [...GOOD.listeners, smtp] }))
    expect(code).toBe(1)
    expect(err).toMatch(
      /portico\.yaml:1:\d+: listeners\[1\]\.connector: expected one of the connectors inbound, client/,
    )
  })

  test('check says that a file is good, or what is wrong with it', async () => {
    expect(await run('check', '--config', place(GOOD))).toMatchObject({ code: 0 })
    const bad = await run('check', '--config', place({ ...GOOD, version: 2 }))
    expect(bad).toMatchObject({ code: 1 })
    expect(bad.err).toMatch(/version: expected 1/)
  })

  test('check warns of what works, but not as far as several nodes may expect', async () => {
    const listener = { protocol: 'http', address: '127.0.0.1:0', tls: 'none' }
    const http = { directories: [{ preset: 'owa' }] }
    const { code, out } = await run('check', '--config', place({ ...GOOD, listeners: [listener], http }))
    expect(code).toBe(0)
    expect(out).toMatch(/^warning: http\.forms\.keys: none are set/m)
  })

  test('config explain shows what holds and where it comes from', async () => {
    const { out } = await run('config', 'explain', '--config', place(GOOD))
    expect(out).toMatch(/^hostname: door\.test\s+# .*portico\.yaml:1$/m)
    expect(out).toMatch(/^ {2}preAuth: "1m"\s+# default$/m)
  })

  test("root's control socket is not where another user could take its name first", () => {
    const path = defaultControlPath('portico.yaml', {})
    const mode = statSync(join(path, '..')).mode & 0o7777
    expect(process.getuid?.() === 0 ? mode & 0o002 : 0).toBe(0)
    expect(defaultControlPath('portico.yaml', { XDG_RUNTIME_DIR: '/private' })).toMatch(/^\/private\/portico-/)
  })

  test('reload without a front end says so', async () => {
    expect(await run('reload', '--config', place(GOOD))).toMatchObject({ code: 1 })
  })
})

async function greeting(port: number): Promise<string | undefined> {
  using client = Client.to(port)
  return await client.line()
}

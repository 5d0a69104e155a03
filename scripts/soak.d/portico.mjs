// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { certificate, freePorts } from '../bench.d/peers.mjs'
import { FAULTS } from './backends.mjs'

const at = (file) => fileURLToPath(new URL(file, import.meta.url))
const PROTOCOLS = ['imap4', 'pop3', 'smtp', 'http']
const WORKERS = 2
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Until it gives something; throws after `ms`. */
export async function eventually(look, what, ms = 120_000) {
  const until = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > until) throw new Error(`${what}: not within ${ms / 1_000} s`)
    await pause(100)
  }
}

/** `portico serve` with two workers, in front of the backends. */
export class Portico {
  #folder = mkdtempSync(join(tmpdir(), 'portico-soak-'))
  #child
  #reloads = 0
  #backendPorts
  #ports
  #transport
  doors

  constructor(transport) {
    this.#transport = transport
  }

  async start(backendPorts) {
    this.#backendPorts = backendPorts
    this.#ports = await freePorts(PROTOCOLS.length * 2)
    this.doors = PROTOCOLS.flatMap((protocol, index) => [
      { protocol, tls: false, port: this.#ports[index * 2] },
      { protocol, tls: true, port: this.#ports[index * 2 + 1] },
    ])
    const { cert, key } = certificate(this.#folder)
    this.tls = { cert, key }
    writeFileSync(this.#at('users'), FAULTS.map((name) => `${name}:{PLAIN}secret::::::group=${name}\n`).join(''), {
      mode: 0o600,
    })
    writeFileSync(this.#at('key'), readFileSync(key), { mode: 0o600 })
    this.#write()
    this.#child = spawn(
      process.execPath,
      [
        at('../../packages/cli/dist/bin.js'),
        'serve',
        '--config',
        this.#at('portico.yaml'),
        '--workers',
        String(WORKERS),
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: {
          ...process.env,
          NODE_OPTIONS: `--import ${new URL('probe.mjs', import.meta.url)}`,
          PORTICO_SOAK_FOLDER: this.#folder,
        },
      },
    )
    process.once('exit', () => this.#abandon())
    await eventually(() => this.log().includes('"message":"ready"'), 'the start')
  }

  /** Another configuration each time, so that every reload is one. */
  #write() {
    const listeners = this.doors.map(({ protocol, tls, port }) => ({
      protocol,
      address: `127.0.0.1:${port}`,
      tls: tls ? 'implicit' : 'none',
      plaintextPasswords: 'always',
      ...(protocol === 'smtp' ? { connector: 'client' } : {}),
    }))
    const group = (fault) =>
      Object.fromEntries(
        PROTOCOLS.map((protocol) => [
          protocol,
          { endpoints: [`${protocol === 'http' ? 'http://' : ''}127.0.0.1:${this.#backendPorts[fault][protocol]}`] },
        ]),
      )
    const config = {
      version: 1,
      hostname: 'portico.test.lan',
      transport: this.#transport,
      tls: [{ names: ['localhost'], certificate: this.tls.cert, key: { file: this.#at('key') } }],
      listeners,
      credentials: [{ type: 'users-file', path: this.#at('users') }],
      location: [{ type: 'users-file' }],
      backends: Object.fromEntries(FAULTS.map((fault) => [fault, group(fault)])),
      auth: { delays: ['0s'], failuresPerAddress: 100_000_000, failuresPerUserAndAddress: 100_000_000 },
      limits: { connectionsPerAddress: 10_000, connect: '2s', openBackend: '4s', linger: '1s', halfClosed: '3s' },
      http: { realm: `Mail ${this.#reloads}` },
      log: { level: 'info', format: 'json', file: this.#at('log') },
      admin: { socket: this.#at('control') },
    }
    writeFileSync(this.#at('portico.yaml'), JSON.stringify(config))
  }

  #at(name) {
    return join(this.#folder, name)
  }

  log() {
    return existsSync(this.#at('log')) ? readFileSync(this.#at('log'), 'utf8') : ''
  }

  /** Lines of the log that speak of a fault of ours. */
  faults() {
    return this.log()
      .split('\n')
      .filter((line) => /"level":"error"/.test(line) && !/a worker died and is replaced/.test(line))
  }

  /** The workers, oldest first. */
  workers() {
    const pid = this.#child.pid
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  }

  async reload() {
    const before = this.log().split('"message":"reloaded"').length
    this.#reloads += 1
    this.#write()
    this.#child.kill('SIGHUP')
    await eventually(() => this.log().split('"message":"reloaded"').length > before, 'a reload')
  }

  /** The youngest worker dies; resolves when there is another one. */
  async killWorker() {
    const victim = this.workers().at(-1)
    process.kill(victim, 'SIGKILL')
    await eventually(
      () => /the worker is replaced/.test(this.log()) && this.workers().length === WORKERS,
      'another worker',
    )
    return victim
  }

  /** What a worker holds: memory, handles by kind, descriptors. */
  async holds(pid) {
    const file = this.#at(`${pid}.json`)
    rmSync(file, { force: true })
    process.kill(pid, 'SIGUSR2')
    await eventually(() => existsSync(file), `an answer of worker ${pid}`)
    const descriptors = readdirSync(`/proc/${pid}/fd`).length
    return { pid, descriptors, ...JSON.parse(readFileSync(file, 'utf8')) }
  }

  /** The workers follow their supervisor. */
  #abandon() {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)))
    this.#child.kill('SIGTERM')
    const code = await Promise.race([ended, pause(90_000).then(() => 'nothing')])
    rmSync(this.#folder, { recursive: true, force: true })
    return code
  }
}

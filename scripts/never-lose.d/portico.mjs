// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts, launch, privateFolder, waitForPort } from '@portico/testkit'
import { childrenOf, killOneOf } from './processes.mjs'

const PROGRAM = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

/** `portico serve` with several workers, as the built product; `victims` are its worker and its supervisor. */
export async function startPortico({ users, passwordOf, groupOf, backends, workers }) {
  const folder = privateFolder('por')
  const [inbound, submission] = await freePorts(2)
  const [configFile, usersFile, logFile] = ['portico.yaml', 'users', 'portico.log'].map((name) => join(folder, name))
  const line = (user) => `${user}:{PLAIN}${passwordOf(user)}::::::group=${groupOf(user)}\n`
  writeFileSync(usersFile, users.map(line).join(''), { mode: 0o600 })
  const listener = { protocol: 'smtp', tls: 'none', plaintextPasswords: 'always' }
  const config = {
    version: 1,
    hostname: 'portico.test.lan',
    listeners: [
      { ...listener, address: `127.0.0.1:${inbound}`, connector: 'inbound' },
      { ...listener, address: `127.0.0.1:${submission}`, connector: 'client' },
    ],
    credentials: [{ type: 'users-file', path: usersFile }],
    location: [{ type: 'users-file', domains: ['test.lan'] }],
    backends,
    smtp: { connectors: { inbound: { domains: ['test.lan'] } } },
    log: { level: 'info', format: 'json', file: logFile },
  }
  writeFileSync(configFile, JSON.stringify(config, null, 2))
  const ports = [inbound, submission]
  const args = [PROGRAM, 'serve', '--config', configFile, '--workers', String(workers)]
  /** Its ports answer once the first worker is there. It is up when all are: one that dies before ends the start. */
  const start = async () => {
    const started = await launch({ command: process.execPath, args, folder, logFile, ports })
    await started.logged(new RegExp(`"pid":${started.pid},.*"message":"ready"`))
    return started
  }
  let server = await start()

  /** Its workers leave when it is gone, without being told; only then its ports are free for the next. */
  async function supervisor() {
    try {
      process.kill(server.pid, 'SIGKILL')
    } catch (cause) {
      throw new Error(`it had ended by itself: ${server.log().slice(-2_000)}`, { cause })
    }
    await Promise.all(ports.map((port) => waitForPort(port, false)))
    await server.kill()
    server = await start()
  }

  return {
    ports: { inbound, submission },
    victims: {
      worker: async (random) => killOneOf(random, childrenOf(server.pid)),
      supervisor,
      'front end': async () => {
        await server.kill()
        server = await start()
      },
    },
    /** As many workers as at the start. */
    async whole() {
      while (childrenOf(server.pid).length < workers) await pause(100)
    },
    log: () => server.log(),
    stop: () => server.stop(),
  }
}

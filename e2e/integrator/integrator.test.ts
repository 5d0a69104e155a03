// SPDX-License-Identifier: MIT
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { privateFolder } from '@portico/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, succeed } from '../lib/clients.js'
import { startFakeBackend } from '../lib/fake-backends.js'
import { scenario } from '../lib/scenario.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BINS = join(ROOT, 'node_modules/.bin')

/** What somebody writes who builds IMAP4 into a program of their own. */
const PROGRAM = `
import { connect } from 'node:net'
import { createFrontEnd } from '@portico/frontend'
import { imap4 } from '@portico/imap4'

const [users, backend] = process.argv.slice(2)
const frontEnd = await createFrontEnd({
  protocols: [imap4],
  config: {
    version: 1,
    listeners: [{ protocol: 'imap4', address: '127.0.0.1:0', tls: 'none', plaintextPasswords: 'loopback' }],
    credentials: [{ type: 'users-file', path: users }],
    location: [{ type: 'hash', group: 'mail' }],
    backends: { mail: { imap4: { endpoints: [backend] } } },
  },
})
const socket = connect(frontEnd.listeners[0].port, '127.0.0.1')
socket.write('a LOGIN alice alicepw\\r\\nb NOOP\\r\\nc LOGOUT\\r\\n')
for await (const chunk of socket) process.stdout.write(chunk)
await frontEnd.close()
`

interface Packed {
  readonly name: string
  readonly folder: string
  readonly tarball: string
}

scenario('a program that installs the packages', { programs: ['npm'] }, () => {
  const folder = privateFolder('int')
  let packed: readonly Packed[] = []

  beforeAll(async () => {
    mkdirSync(join(folder, 'tarballs'))
    packed = await pack(publicPackages(), join(folder, 'tarballs'))
  }, 240_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('every package packs what it says, for publint and for arethetypeswrong', { timeout: 600_000 }, async () => {
    expect(packed.map(({ name }) => name)).toContain('@portico/imap4')
    for (const { name, tarball } of packed) {
      const lint = await run(join(BINS, 'publint'), [tarball, '--strict'])
      expect(lint.code, `${name}: ${lint.stdout}${lint.stderr}`).toBe(0)
      const types = await run(join(BINS, 'attw'), [tarball, '--profile', 'esm-only', '--format', 'ascii'])
      expect(types.code, `${name}: ${types.stdout}${types.stderr}`).toBe(0)
    }
  })

  test('no package brings its tests or sources, and each has its licence and read-me', async () => {
    for (const { name, tarball } of packed) {
      const files = (await succeed('tar', ['-tzf', tarball])).split('\n')
      expect(files, name).toContain('package/dist/index.js')
      expect(files, name).toContain('package/README.md')
      expect(
        files.filter((file) => /^package\/(test|src)\//.test(file)),
        name,
      ).toEqual([])
    }
  })

  test('a program of twenty lines in an empty project proxies an IMAP4 session', { timeout: 240_000 }, async () => {
    const project = join(folder, 'project')
    mkdirSync(project)
    const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
    const manifest = {
      name: 'integrator',
      private: true,
      type: 'module',
      dependencies: needed(packed, tarballs),
      overrides: tarballs,
    }
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
    await npm(['install', '--no-audit', '--no-fund', '--prefer-offline'], project)
    writeFileSync(join(project, 'users'), 'alice:{PLAIN}alicepw\n', { mode: 0o600 })
    writeFileSync(join(project, 'program.mjs'), PROGRAM)
    const backend = await startFakeBackend('imap4', 'none')
    try {
      const said = await run(process.execPath, ['program.mjs', join(project, 'users'), `127.0.0.1:${backend.port}`], {
        cwd: project,
      })
      // It ends by itself: nothing of a closed front end keeps the program alive.
      expect([said.code, said.stderr]).toEqual([0, ''])
      expect(said.stdout).toMatch(/^\* OK .*\r\na OK .*\r\nb OK NOOP done\r\n\* BYE see you\r\nc OK done\r\n$/s)
    } finally {
      await backend.close()
    }
  })
})

/** The packages that are published: those that do not say `private`. */
function publicPackages(): { readonly name: string; readonly folder: string }[] {
  return ['packages', 'protocols']
    .flatMap((place) => readdirSync(join(ROOT, place)).map((name) => join(ROOT, place, name)))
    .map((folder) => ({ folder, manifest: manifestOf(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder }))
}

function manifestOf(folder: string): {
  readonly name: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
} {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

/** One run for all of them. pnpm writes the real versions where the workspace says `workspace:*`. */
async function pack(packages: readonly Omit<Packed, 'tarball'>[], into: string): Promise<Packed[]> {
  const filters = packages.flatMap(({ name }) => ['--filter', name])
  const args = ['-r', ...filters, 'pack', '--json', '--pack-destination', into]
  const said = await succeed('npx', ['-y', 'pnpm@10.34.9', ...args], { cwd: ROOT })
  const tarballs = JSON.parse(said.slice(said.indexOf('['))) as { readonly name: string; readonly filename: string }[]
  return packages.map((each) => {
    const tarball = tarballs.find(({ name }) => name === each.name)?.filename
    if (tarball === undefined) throw new Error(`${each.name} was not packed`)
    return { ...each, tarball }
  })
}

/** The tarballs that imap4 needs, directly or through others. */
function needed(packed: readonly Packed[], tarballs: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {}
  const add = (name: string): void => {
    const owner = packed.find((each) => each.name === name)
    const tarball = tarballs[name]
    if (owner === undefined || tarball === undefined || name in found) return
    found[name] = tarball
    for (const dependency of Object.keys(manifestOf(owner.folder).dependencies ?? {})) add(dependency)
  }
  add('@portico/imap4')
  return found
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  await succeed('npm', args, { cwd })
}

// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authSchema, createSource, createUsersFiles, credentialsSchema, isAuthHttpSource } from '@portico/auth'
import { Secret } from '@portico/base'
import { createFakeClock } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { hashThreads, recordingLog } from './helpers.js'

describe('the credentials block', () => {
  test('makes its sources in their order; source and locator share one users file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sources-'))
    const path = join(folder, 'users')
    writeFileSync(path, 'alice:{PLAIN}x::::::group=g\n', { mode: 0o600 })
    const settings = credentialsSchema.parse([
      { type: 'users-file', path },
      { type: 'auth-http', name: 'lookup', url: 'http://192.0.2.1:9000/auth', headers: { 'X-Key': new Secret('k') } },
      { type: 'deferred' },
    ])
    const deps = { clock: createFakeClock(), log: recordingLog() }
    const usersFiles = createUsersFiles(deps)
    const sources = settings.map((one) => createSource(one, { ...deps, usersFiles, hashThreads }))
    expect(sources.map(({ name }) => name)).toEqual(['users-file', 'lookup', 'deferred'])
    expect(sources.map(isAuthHttpSource)).toEqual([false, true, false])
    expect(deps.log.lines[0]).toMatch(/without encryption/)
    const [file] = settings
    if (file?.type !== 'users-file') throw new Error('not a users file')
    expect(usersFiles.open(file)).toBe(usersFiles.open({ ...file }))
    expect(usersFiles.open(file).lookup('ALICE')?.fields.get('group')).toBe('g')
    for (const source of sources) await source[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  test.each([
    ['no source at all', []],
    ['a type that does not exist', [{ type: 'oracle' }]],
    ['an unknown key', [{ type: 'deferred', colour: 'red' }]],
    ['a users file without path', [{ type: 'users-file' }]],
    ['a scheme that does not exist', [{ type: 'users-file', path: '/x', defaultScheme: 'ROT13' }]],
    ['a URL of another kind', [{ type: 'auth-http', url: 'ftp://example.com/' }]],
    ['a header name with a space', [{ type: 'auth-http', url: 'http://127.0.0.1/', headers: { 'a b': 'c' } }]],
  ])('%s is refused', (_label, written) => {
    expect(credentialsSchema.safeParse(written).success).toBe(false)
  })
})

test('the auth block may be absent, and takes durations', () => {
  expect(authSchema.parse(undefined)).toMatchObject({
    delays: [0, 2_000, 4_000, 8_000, 15_000],
    window: 600_000,
    failuresPerUserAndAddress: 10,
    cache: { ttl: 60_000 },
  })
  expect(authSchema.parse({ delays: ['1s'], cache: { ttl: '0s' } })).toMatchObject({
    delays: [1_000],
    cache: { ttl: 0 },
  })
})

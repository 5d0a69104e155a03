// SPDX-License-Identifier: MIT
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeClock } from '@portico/testkit'
import { afterAll, expect, test } from 'vitest'
import { WatchedFile } from '../src/index.js'

const folder = mkdtempSync(join(tmpdir(), 'watched-'))
afterAll(() => rmSync(folder, { recursive: true }))

function watched(name: string, text: string) {
  const path = join(folder, name)
  writeFileSync(path, text)
  const clock = createFakeClock()
  const told: string[] = []
  const file = new WatchedFile({
    path,
    clock,
    parse(read) {
      if (read === 'bad') throw new Error('means nothing')
      return read.length
    },
    changed: (value) => void told.push(`changed ${value}`),
    failed: (cause) => void told.push(`failed ${(cause as Error).message.slice(0, 13)}`),
  })
  return { path, clock, told, file }
}

test('is read again when it has changed, at most once a second', async () => {
  const { path, clock, told, file } = watched('changing', 'one')
  writeFileSync(path, 'three')
  expect(file.current).toBe(3)
  await clock.advance(1_000)
  expect([file.current, file.current]).toEqual([5, 5])
  expect(told).toEqual(['changed 5'])
})

test('another file in its place is seen, of the same size too', async () => {
  const { path, clock, told, file } = watched('replaced', 'one')
  writeFileSync(`${path}.new`, 'two')
  renameSync(`${path}.new`, path)
  await clock.advance(1_000)
  expect(file.current).toBe(3)
  expect(told).toEqual(['changed 3'])
})

test('one that means nothing, or is gone, leaves the former value, and is told once', async () => {
  const { path, clock, told, file } = watched('broken', 'one')
  writeFileSync(path, 'bad')
  for (let n = 0; n < 3; n += 1) {
    await clock.advance(1_000)
    expect(file.current).toBe(3)
  }
  rmSync(path)
  await clock.advance(1_000)
  expect(file.current).toBe(3)
  writeFileSync(path, 'again')
  await clock.advance(1_000)
  expect(file.current).toBe(5)
  expect(told).toEqual(['failed means nothing', expect.stringMatching(/^failed ENOENT/), 'changed 5'])
})

test('one that cannot be read at first is an error', () => {
  const options = { clock: createFakeClock(), parse: String, changed() {}, failed() {} }
  expect(() => new WatchedFile({ path: join(folder, 'absent'), ...options })).toThrow(/ENOENT/)
})

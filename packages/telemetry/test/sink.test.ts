// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@portico/telemetry'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HoldingSink } from '../src/sink.js'

function stream() {
  const written: string[] = []
  return { written, write: (text: string) => written.push(text), flushSync() {}, end() {} }
}

describe('lines on their way to a file', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('go out together, and none is held longer than a fifth of a second', () => {
    const to = stream()
    const sink = new HoldingSink(to, { most: 100, owned: false })
    sink.write('one\n')
    vi.advanceTimersByTime(150)
    sink.write('two\n')
    expect(to.written).toEqual([])
    vi.advanceTimersByTime(50)
    expect(to.written).toEqual(['one\ntwo\n'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('go out before they are too many for one write', () => {
    const to = stream()
    const sink = new HoldingSink(to, { most: 8, owned: false })
    for (const line of ['one\n', 'two\n', 'six\n', 'much longer\n']) sink.write(line)
    sink.push()
    expect(to.written).toEqual(['one\ntwo\n', 'six\n', 'much longer\n'])
  })

  test('are dropped, with the timer, when the stream has broken', () => {
    const to = stream()
    const sink = new HoldingSink(to, { most: 8, owned: false })
    sink.write('one\n')
    sink.fail()
    sink.write('two\n')
    expect(vi.getTimerCount()).toBe(0)
    expect(to.written).toEqual([])
  })
})

test.each(['warn', 'error'] as const)('%s takes what was said before it along, at once', async (level) => {
  const path = join(mkdtempSync(join(tmpdir(), 'portico-log-')), 'log')
  // The time for which lines are held never passes.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const log = createLog({ level: 'info', format: 'pretty', destination: path })
  log.info('before')
  log[level]('now')
  vi.useRealTimers()
  await expect.poll(() => readFileSync(path, 'utf8')).toMatch(/before\n.*now\n/)
  log.close()
})

// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Secret } from '@portico/base'
import { createLog } from '@portico/telemetry'
import { describe, expect, test } from 'vitest'

function collector() {
  const lines: string[] = []
  return { lines, write: (text: string) => lines.push(text) }
}

describe('the log', () => {
  test('one JSON object per line, with level, time, message and facts', () => {
    const to = collector()
    createLog({ level: 'info', format: 'json', destination: to }).info('session ended', { user: 'alice', bytes: 3 })
    const line = JSON.parse(to.lines[0] ?? '')
    expect(line).toMatchObject({ level: 'info', message: 'session ended', user: 'alice', bytes: 3, pid: process.pid })
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT/)
    expect(to.lines[0]?.endsWith('}\n')).toBe(true)
  })

  test.each(['json', 'pretty'] as const)('a secret prints as ***, however deep it lies (%s)', (format) => {
    const to = collector()
    const log = createLog({ level: 'debug', format, destination: to })
    log.child({ bound: new Secret('s3cret-bound') }).error('x', {
      flat: new Secret('s3cret-flat'),
      deep: { list: [new Secret('s3cret-deep')] },
    })
    expect(to.lines.join('')).not.toContain('s3cret')
    expect(to.lines.join('').match(/\*\*\*/g)).toHaveLength(3)
  })

  test.each(['json', 'pretty'] as const)('an error shows its stack and causes, not what hangs on it (%s)', (format) => {
    const to = collector()
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { options: { password: 'hunter2' } })
    createLog({ level: 'debug', format, destination: to }).error('failed', { error })
    const text = to.lines.join('')
    expect(text).toContain('outer')
    expect(text).toContain('create-log.test')
    expect(text).not.toContain('hunter2')
    if (format === 'json') expect(JSON.parse(text).error.cause.message).toBe('inner')
  })

  test.each(['json', 'pretty'] as const)('lines below the level are not written (%s)', (format) => {
    const to = collector()
    const log = createLog({ level: 'warn', format, destination: to })
    log.info('no')
    log.child({ a: 1 }).debug('no')
    log.warn('yes')
    expect(to.lines).toHaveLength(1)
  })

  test('the pretty form is one line and quotes what could break it', () => {
    const to = collector()
    createLog({ level: 'info', format: 'pretty', destination: to }).info('hello', { user: 'eve\r\nfake', plain: 'x' })
    expect(to.lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}hello {2}user="eve\\r\\nfake" {2}plain=x\n$/)
  })

  test('what waits for a reader that is behind is bounded, and the newest lines are lost', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'portico-log-')), 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', path])
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    const log = createLog({ level: 'info', format: 'json', destination: path })
    for (let number = 0; number < 320; number++) log.warn('line', { number, filling: 'x'.repeat(100_000) })
    const buffer = Buffer.alloc(1_048_576)
    let total = 0
    const readOn = (): number => {
      try {
        const length = readSync(reader, buffer)
        total += length
        return length
      } catch {
        // Nothing is there now.
        return 0
      }
    }
    await expect.poll(() => readOn() === 0 && total > 16_000_000, { timeout: 60_000, interval: 1 }).toBe(true)
    expect(total).toBeLessThan(18_000_000)
    // In this order: what may still wait would fill the pipe again, and close for a reader that this thread is.
    closeSync(reader)
    log.close()
  })

  test('a reader that has gone keeps nobody from the end', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'portico-log-')), 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', path])
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    const log = createLog({ level: 'info', format: 'json', destination: path })
    log.info('held')
    closeSync(reader)
    log.info('held, too')
    log.close()
    expect(readdirSync(dirname(path))).toEqual(['pipe'])
  })

  test('a full disk keeps nobody from the end', () => {
    const log = createLog({ level: 'info', format: 'json', destination: '/dev/full' })
    for (let number = 0; number < 10; number++) log.warn('lost', { number })
    log.info('held')
    expect(() => log.close()).not.toThrow()
  })

  test('a file has every line once the log is closed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'portico-log-')), 'log')
    const log = createLog({ level: 'info', format: 'json', destination: path })
    for (let i = 0; i < 1000; i++) log.info('line', { i })
    await new Promise((resolve) => setImmediate(resolve))
    log.close()
    // A write that a thread had begun before the close is not waited for there.
    await expect.poll(() => readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(1000)
  })
})

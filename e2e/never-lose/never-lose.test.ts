// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run } from '../lib/clients.js'
import { scenario } from '../lib/scenario.js'

const HARNESS = fileURLToPath(new URL('../../scripts/never-lose.d/run.mjs', import.meta.url))
const LETTERS = 200

/** The short form of `scripts/never-lose`: everybody is killed once. */
scenario('letters that were taken while somebody was killed', { programs: ['postfix', 'dovecot'], root: true }, () => {
  test('lie in their mailboxes as they were sent, and twice only where no reply came', {
    timeout: 300_000,
  }, async () => {
    const { code, stdout, stderr } = await run(
      process.execPath,
      [HARNESS, '--messages', String(LETTERS), '--seed', '7'],
      { patience: 280_000 },
    )
    const last = stdout.trim().split('\n').at(-1)
    expect(code, `${stdout}${stderr}`).toBe(0)
    expect(last).toMatch(/^never-lose: 200 letters, \d+ attempts, 1[1-9] kills; /)
    expect(last).toMatch(/; 0 lost, 0 damaged, 0 uncalled, 0 unfinished, 0 unexplained$/)
    const [, promised, found] = /; (\d+) promised, (\d+) of them found/.exec(last ?? '') ?? []
    expect(found).toBe(promised)
    expect(Number(promised)).toBeGreaterThanOrEqual(LETTERS)
  })
})

// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type FailureRow, faultOf } from '../src/transcript/failure-rows.js'

const folder = mkdtempSync(join(tmpdir(), 'portico-rows-'))
writeFileSync(join(folder, 'throttled.txt'), '# Throttled\n\nC: NO [LIMIT]\nS: a1 NO [LIMIT] wait\nP: NO [OTHER]\n')
afterAll(() => rmSync(folder, { recursive: true }))

test.each<[label: string, row: FailureRow | undefined, fault: RegExp | undefined]>([
  ['a transcript that shows it', { transcript: 'throttled.txt', says: 'NO [LIMIT]' }, undefined],
  ['a reason', { unreachable: 'Basic has a single step, so nothing can be broken off.' }, undefined],
  ['nothing', undefined, /neither/],
  ['a transcript that is not there', { transcript: 'gone.txt', says: 'NO' }, /there is no gone\.txt/],
  ['a transcript that shows something else', { transcript: 'throttled.txt', says: 'NO [CLOSED]' }, /does not tell/],
  ['what only a backend is told', { transcript: 'throttled.txt', says: '[OTHER]' }, /does not tell/],
  ['a transcript of which nothing is said', { transcript: 'throttled.txt', says: '' }, /does not tell/],
  ['an excuse', { unreachable: 'n/a' }, /no sentence/],
])('a row with %s', (_label, row, fault) => {
  const found = faultOf(folder, row)
  if (fault === undefined) expect(found).toBeUndefined()
  else expect(found).toMatch(fault)
})

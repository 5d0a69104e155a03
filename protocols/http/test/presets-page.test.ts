// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { formatDuration, formatSize } from '@portico/config'
import { expect, test } from 'vitest'
import { PLAIN, PRESETS, type Preset } from '../src/directory/presets.js'

const page = readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8')
const code = (text: string) => (text === '' ? '' : `\`${text}\``)

/** The cells of the table: name, mount, schemes, time and size, without what it explains at the end of a row. */
const described = page
  .split('\n')
  .filter((line) => /^\| (?:`\w+` \| `\/|none \|)/.test(line))
  .map((line) => line.split('|').slice(1, 6))
  .map((cells) => cells.map((cell) => cell.trim()))

function cellsOf(name: string, { mount, auth, responseTimeout, maxBody }: Preset): readonly string[] {
  return [name, code(mount), auth.map(code).join(', '), formatDuration(responseTimeout), formatSize(maxBody)]
}

test('docs/http.md has each preset with what it fills in', () => {
  const known = Object.entries(PRESETS).map(([name, preset]) => cellsOf(code(name), preset))
  expect(described).toEqual([...known, cellsOf('none', { ...PLAIN, mount: '' })])
})

test('and the names under /.well-known/ that lead to it', () => {
  const told = [...page.matchAll(/^\| `(\w+)` .*`wellKnown: \[(\w+)\]`/gm)].map(([, preset, name]) => [preset, name])
  const known = Object.entries(PRESETS).flatMap(([preset, { wellKnown }]) => wellKnown.map((name) => [preset, name]))
  expect(told).toEqual(known)
})

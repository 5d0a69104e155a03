// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { docsText, schemaText } from '@portico/cli'
import { expect, test } from 'vitest'

test('docs/configuration.md is what `portico config docs` prints', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  expect(page).toBe(docsText())
})

test('every key of the reference page says what it means', () => {
  const silent = docsText()
    .split('\n')
    .filter((line) => /^\| `.*\| +\|$/.test(line) && !/\| (mapping|list of mapping) \|/.test(line))
  expect(silent.map((line) => line.split('|')[1]?.trim())).toEqual([])
})

test('the JSON Schema is one object that refuses unknown keys and knows every block', () => {
  const schema = JSON.parse(schemaText())
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['version', 'listeners', 'imap4', 'smtp']))
  expect(schema.required).toEqual(expect.arrayContaining(['version', 'listeners', 'credentials', 'backends']))
})

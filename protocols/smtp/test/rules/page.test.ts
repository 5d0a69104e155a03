// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { actionSchema } from '../../src/rules/action-schema.js'
import { conditionsSchema, MESSAGE_TYPES } from '../../src/rules/condition-schema.js'
import { rulesAgentSchema, rulesSchema } from '../../src/rules/rules-schema.js'

const page = readFileSync(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')
/** First cells of the page's tables. */
const cells = page.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? [])
const named = new Set(cells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)/g)].map(([, name = '']) => name)))
const others = ['type', 'connectors', 'audit', 'priority', 'rules', 'file', 'inside', 'text', 'whenUnreadable']

test.each([
  ['condition', Object.keys(conditionsSchema.shape)],
  ['action', Object.keys(actionSchema.shape)],
  ['kind of message', MESSAGE_TYPES],
  ['key of a rule', Object.keys(rulesSchema.element.shape)],
])('docs/rules.md has every %s in a table', (_label, names) => {
  expect(names.length).toBeGreaterThan(5)
  expect(names.filter((name) => !named.has(name))).toEqual([])
})

test('docs/rules.md speaks of every key of the block', () => {
  expect(Object.keys(rulesAgentSchema.shape).sort()).toEqual(others.toSorted())
  expect(others.filter((name) => !page.includes(`\`${name}`) && !page.includes(`${name}:`))).toEqual([])
})

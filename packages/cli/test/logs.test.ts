// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)
const CALL = /\blog(?:\.(?:debug|info|warn|error)|\[[^\]]*\])\(\s*([^,]*)/g

/** What the product logs: a message stands in the call, or in the branches of a condition there. */
function logged(): readonly string[] {
  const messages = ['packages', 'protocols'].flatMap((place) =>
    readdirSync(new URL(`${place}/`, root)).flatMap((name) => messagesIn(new URL(`${place}/${name}/src/`, root))),
  )
  return [...new Set(messages)].sort()
}

function messagesIn(folder: URL): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(CALL)])
    .flatMap(([call]) => [...call.slice(call.indexOf('(')).matchAll(/'([^']+)'?/g)].map(([, text = '']) => text))
}

test('docs/logs.md has every message that the sources log', () => {
  const page = readFileSync(new URL('docs/logs.md', root), 'utf8')
  const messages = logged()
  expect(messages.length).toBeGreaterThan(30)
  expect(messages.filter((message) => !page.includes(message))).toEqual([])
})

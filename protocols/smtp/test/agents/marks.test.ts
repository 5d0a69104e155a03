// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { Marks } from '../../src/agents/marks.js'

const FINDING = { agent: 'milter', event: 'dataEnd', refused: false, scl: undefined } as const

test.each([
  ['with lines of its own', 'odd\r\nX-Evil: 1\r\n\r\nbody', 'odd X-Evil: 1 body'],
  ['longer than a line', 'x'.repeat(2_000), 'x'.repeat(500)],
  ['with a NUL', 'odd\0words', 'odd words'],
])('a reason %s is told in one line of its field (RFC 5322 section 2.2)', (_label, reason, told) => {
  const marks = new Marks()
  marks.keepAway({ ...FINDING, reason, address: 'guard@test.lan' })
  expect(marks.edits(() => ['alice@test.lan']).prepend).toEqual([
    `X-Portico-Quarantine: milter; ${told}\r\n`,
    'X-Portico-Recipient: alice@test.lan\r\n',
    `X-Portico-Finding: milter; ${told}\r\n`,
  ])
})

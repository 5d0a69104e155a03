// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { RecipientMemory, saysUnknown } from '../../src/backend/recipient-memory.js'
import type { BackendReply } from '../../src/backend/reply.js'

const UNKNOWN: BackendReply = { code: 550, lines: ['5.1.1 no such user'] }

describe('recipients that were refused as unknown', () => {
  test('are known for as long as the site says, and not longer', () => {
    const memory = new RecipientMemory({ keep: 1_000, max: 10 })
    memory.remember('mbx', 'eve@test.lan', UNKNOWN, 100)
    expect(memory.knows('mbx', 'eve@test.lan', 1_099)).toBe(UNKNOWN)
    expect(memory.knows('mbx', 'eve@test.lan', 1_100)).toBeUndefined()
    expect(memory.size).toBe(0)
  })

  test.each<[string, string, string, boolean]>([
    ['at the same backends', 'mbx', 'eve@test.lan', true],
    ['in another case of the domain', 'mbx', 'eve@TEST.lan', true],
    ['not in another case of the local part (RFC 5321 section 2.4)', 'mbx', 'Eve@test.lan', false],
    ['not at other backends', 'mta', 'eve@test.lan', false],
  ])('%s', (_label, where, recipient, known) => {
    const memory = new RecipientMemory({ keep: 1_000, max: 10 })
    memory.remember('mbx', 'eve@test.lan', UNKNOWN, 0)
    expect(memory.knows(where, recipient, 1) !== undefined).toBe(known)
  })

  test('never take more than their place: the oldest go first, and to be refused again makes one young', () => {
    const memory = new RecipientMemory({ keep: 1_000, max: 2 })
    for (const name of ['a', 'b', 'a', 'c']) memory.remember('mbx', `${name}@test.lan`, UNKNOWN, 0)
    expect(memory.size).toBe(2)
    expect(['a', 'b', 'c'].filter((name) => memory.knows('mbx', `${name}@test.lan`, 1))).toEqual(['a', 'c'])
  })

  test('nothing is kept where the site wants backends to be asked always', () => {
    const memory = new RecipientMemory({ keep: 0, max: 10 })
    memory.remember('mbx', 'eve@test.lan', UNKNOWN, 0)
    expect(memory.size).toBe(0)
  })
})

test.each<[string, BackendReply, boolean]>([
  ['no such mailbox (RFC 3463 section 3.2)', UNKNOWN, true],
  ['no such mailbox, said with another code', { code: 553, lines: ['5.1.1 unknown'] }, true],
  ['a recipient with a null MX (RFC 7505)', { code: 550, lines: ['5.1.10 no mail'] }, true],
  ['a policy may change its mind with the sender', { code: 550, lines: ['5.7.1 not you'] }, false],
  ['a full mailbox', { code: 552, lines: ['5.2.2 full'] }, false],
  ['a temporary failure', { code: 450, lines: ['4.1.1 not now'] }, false],
  ['no enhanced code', { code: 550, lines: ['no such user'] }, false],
  ['another code that begins the same', { code: 550, lines: ['5.1.12 x'] }, false],
  ['a reply that is too long to keep', { code: 550, lines: [`5.1.1 ${'x'.repeat(600)}`] }, false],
])('%s', (_label, reply, expected) => {
  expect(saysUnknown(reply)).toBe(expected)
})

// SPDX-License-Identifier: MIT
import { runTranscripts } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import type { EnvelopeEdits, Opinion, Rewrite } from '../../src/agents/agent.js'
import { PASS } from '../../src/agents/agent.js'
import { say } from '../../src/replies.js'
import { addressees } from '../../src/transaction/readdress.js'
import { agent, recipient, withAgents } from './support.js'

const rewriting: Rewrite = async (_from, create) => {
  const spool = create()
  spool.write(Buffer.from('.Other words\r\n'))
  const spooled = await spool.finish()
  if (spooled.kind === 'refused') return undefined
  const remove = ({ name }: { readonly name: string }) => name === 'x-opinion'
  return { edits: { remove, prepend: ['X-Rewritten: yes\r\n'] }, body: spooled.message }
}

/** What the agent thinks of a message that asks for it in a header field. */
const OPINIONS: Readonly<Record<string, Opinion>> = {
  add: { kind: 'pass', envelope: { add: [recipient('bob@test.lan')] } },
  redirect: { kind: 'pass', envelope: { redirect: [recipient('bob@test.lan')] } },
  drop: { kind: 'pass', envelope: { drop: [recipient('alice@test.lan')] } },
  nobody: { kind: 'pass', envelope: { redirect: [recipient('nobody@test.lan')] } },
  discard: { kind: 'discard', reason: 'the site wants it so' },
  rewrite: { kind: 'pass', rewrite: rewriting },
  'cannot-rewrite': { kind: 'pass', rewrite: async () => undefined },
  note: {
    kind: 'pass',
    notes: {
      scl: 5,
      results: [
        { method: 'spf', result: 'pass', comment: 'far (example)', properties: [['smtp.mailfrom', 'eve@far.example']] },
        { method: 'dkim', result: 'none', properties: [] },
      ],
    },
  },
  against: { kind: 'against', reply: say(554, '5.7.1', 'Not this one'), reason: 'smells of \u00e4pples' },
}

const judging = {
  dataEnd: ({ fields }: { readonly fields: { first(name: string): { text(): string } | undefined } }) =>
    OPINIONS[fields.first('x-opinion')?.text() ?? ''] ?? PASS,
}

runTranscripts(
  new URL('change-transcripts/', import.meta.url),
  withAgents([agent(judging, { name: 'judge', action: { quarantine: 'bob@test.lan' }, scl: 6 })]),
)

describe('whom a message goes to', () => {
  const asked = (text: string) => ({ mailbox: recipient(text), parameters: { notify: 'NEVER', orcpt: undefined } })
  const [a, b, c] = ['a@x.example', 'b@x.example', 'c@y.example'].map(recipient) as [
    ReturnType<typeof recipient>,
    ReturnType<typeof recipient>,
    ReturnType<typeof recipient>,
  ]
  test.each<[string, readonly EnvelopeEdits[], string]>([
    ['nothing is wanted', [], 'a@x.example b@x.example'],
    ['one more', [{ add: [c] }], 'a@x.example b@x.example c@y.example'],
    ['one more who gets it anyway', [{ add: [b] }], 'a@x.example b@x.example'],
    ['one less', [{ drop: [a] }], 'b@x.example'],
    ['others instead', [{ redirect: [c, c] }], 'c@y.example'],
    ['others instead, and then one more', [{ redirect: [c] }, { add: [a] }], 'c@y.example a@x.example'],
    ['one more, and then others instead', [{ add: [a] }, { redirect: [c] }], 'c@y.example'],
    ['all at once: instead, less, more', [{ redirect: [a, b], drop: [a], add: [c] }], 'b@x.example c@y.example'],
    ['nobody is left', [{ drop: [a, b] }], ''],
    [
      'who differs in case of the local part is another one',
      [{ drop: [recipient('A@x.example')] }],
      'a@x.example b@x.example',
    ],
  ])('%s', (_label, edits, expected) => {
    const list = addressees([asked('a@x.example'), asked('b@x.example')], edits)
    expect(list.map(({ mailbox }) => mailbox.text).join(' ')).toBe(expected)
  })

  test('those who stay keep what was asked for them', () => {
    const list = addressees([asked('a@x.example')], [{ add: [c] }])
    expect(list.map(({ parameters }) => parameters.notify)).toEqual(['NEVER', undefined])
  })
})

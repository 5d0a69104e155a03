// SPDX-License-Identifier: MIT
// biome-ignore-all lint/suspicious/noThenProperty: the word of the language; nobody awaits a rule.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeClock } from '@portico/testkit'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { DataEndFacts, HeadersFacts } from '../../src/agents/agent.js'
import { parseHeader } from '../../src/message/header-fields.js'
import { rules } from '../../src/rules/rules-agent.js'
import { listeningLog, made, recipient, stage } from '../agents/support.js'

const folder = mkdtempSync(join(tmpdir(), 'rules-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SECTION = 'From: eve@far.example\r\nSubject: Casino secrets\r\n\r\n'

function headers(section = SECTION): HeadersFacts {
  return {
    envelope: { sender: recipient('eve@far.example'), recipients: [recipient('alice@test.lan')] },
    fields: parseHeader(Buffer.from(section), 'plain'),
    notes: { scl: undefined, results: [], types: new Set(), findings: [] },
  }
}

function whole(): DataEndFacts {
  const octets = Buffer.from(`${SECTION}Hi\r\n`)
  const read = async (take: (piece: Buffer) => unknown) => {
    await take(octets)
    return 'done' as const
  }
  return { ...headers(), message: { size: octets.length, read, start: async () => octets } }
}

const reject = (name: string, word: string) => ({ name, if: { subjectContains: word }, then: [{ reject: {} }] })

test('a message that a rule puts into quarantine goes nowhere else, whomever other agents add', async () => {
  const settings = {
    rules: [{ name: 'q', if: { subjectContains: 'casino' }, then: [{ quarantine: 'guard@test.lan' }] }],
  }
  const { run } = stage([made(rules, settings, { log: listeningLog() })])
  expect(await run.ask('dataEnd', whole())).toMatchObject({ kind: 'go', discard: false, envelope: [] })
  expect(run.notes.quarantine).toMatchObject({ agent: 'rules', reason: 'q', address: 'guard@test.lan' })
})

test('the confidence level that a rule has set goes with the message into quarantine', async () => {
  const level = { name: 'level', then: [{ setScl: 8 }] }
  const away = { name: 'q', if: { subjectContains: 'casino' }, then: [{ quarantine: 'guard@test.lan' }] }
  const { run } = stage([made(rules, { rules: [level, away] }, { log: listeningLog() })])
  await run.ask('dataEnd', whole())
  expect([run.notes.scl, run.notes.quarantine?.address]).toEqual([8, 'guard@test.lan'])
})

describe('the log', () => {
  const log = listeningLog()
  beforeEach(() => void log.lines.splice(0))
  const asked = (block: object) => stage([made(rules, block, { log })]).run

  test('has one line for each rule that fires, with the words of the rule and none of the message', async () => {
    const run = asked({
      rules: [
        { name: 'mark', if: { subjectContains: ['x', 'casino'] }, then: [{ prependSubject: '[x] ' }, { setScl: 5 }] },
        { name: 'other', if: { subjectContains: 'x' }, then: [{ delete: true }] },
        { ...reject('would refuse', 'casino'), mode: 'audit' },
      ],
    })
    await run.ask('dataEnd', whole())
    const about = { level: 'info', session: 's1', client: '192.0.2.7', connector: 'inbound' }
    const why = ['subjectContains: casino']
    const fired = { ...about, message: 'a mail-flow rule fired', why }
    // The prefix has made the second rule's word stand in the subject.
    expect(log.lines).toEqual([
      { ...fired, rule: 'mark', mode: 'enforce', actions: ['prependSubject "[x] "', 'setScl 5'] },
      { ...fired, why: ['subjectContains: x'], rule: 'other', mode: 'enforce', actions: ['delete'] },
    ])
    expect(JSON.stringify(log.lines)).not.toContain('secrets')
  })

  test('has what a rule wants to say', async () => {
    await asked({ rules: [{ name: 'say', then: [{ logEvent: 'look here' }] }] }).ask('headers', headers())
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: 'a mail-flow rule says', rule: 'say', text: 'look here' }),
    )
  })

  test('says what the rules of a block in audit mode would have done, and the message goes on', async () => {
    const verdict = await asked({ audit: true, rules: [reject('no', 'casino')] }).ask('headers', headers())
    expect(verdict).toEqual({ kind: 'go', discard: false, edits: [], envelope: [], rewrites: [] })
    expect(log.lines).toEqual([
      expect.objectContaining({ message: 'a mail-flow rule fired', mode: 'audit', actions: [expect.any(String)] }),
    ])
  })
})

describe('when it wants to hear of a message', () => {
  test.each([
    ['no rules', [], false, false],
    ['rules on the header section', [reject('a', 'casino')], true, false],
    ['a rule on the body', [reject('a', 'casino'), { name: 'b', then: [{ delete: true }] }], false, true],
  ])('%s', (_label, list, atHeader, atEnd) => {
    const { run } = stage([made(rules, { rules: list })])
    expect([run.wants('headers'), run.needsBody()]).toEqual([atHeader, atEnd])
  })

  test('who may bypass anti-spam agents is asked as well: these are the rules of the site', () => {
    const { run } = stage([made(rules, { rules: [reject('a', 'casino')] })], { bypassesAntiSpam: true })
    expect(run.wants('headers')).toBe(true)
  })
})

describe('a file of rules', () => {
  const path = join(folder, 'rules.yaml')
  const write = (list: readonly object[]) => writeFileSync(path, JSON.stringify({ rules: list }))

  test('is read again when it changes, and a message is judged by one set of rules', async () => {
    write([reject('first', 'casino')])
    const clock = createFakeClock()
    const log = listeningLog()
    const { run } = stage([made(rules, { file: path }, { clock, log })])
    expect(await run.ask('headers', headers())).toMatchObject({ kind: 'refuse' })
    write([{ name: 'second', if: { subjectOrBodyContains: 'nothing' }, then: [{ delete: true }] }])
    await clock.advance(2_000)
    expect(run.needsBody()).toBe(false)
    expect(await run.ask('headers', headers())).toMatchObject({ kind: 'refuse' })
    run.concluded(false)
    expect(run.needsBody()).toBe(true)
    expect(await run.ask('dataEnd', whole())).toMatchObject({ kind: 'go' })
    expect(log.lines).toContainEqual({ level: 'info', message: 'mail-flow rules read again', path, rules: 1 })
  })

  test('that is broken is told, and the former rules stay', async () => {
    write([reject('first', 'casino')])
    const clock = createFakeClock()
    const log = listeningLog()
    const { run } = stage([made(rules, { file: path }, { clock, log })])
    writeFileSync(path, 'rules:\n  - { name: x, if: { subjectMatches: "(" }, stop: true }\n')
    await clock.advance(2_000)
    run.concluded(false)
    expect(await run.ask('headers', headers())).toMatchObject({ kind: 'refuse' })
    const line = log.lines.find(({ level }) => level === 'error')
    expect(line).toMatchObject({ level: 'error', message: 'mail-flow rules cannot be read, the former ones stay' })
    expect(String(line?.['cause'])).toContain(`${path}:2:38: rules[0].if.subjectMatches`)
  })

  test.each([
    ['is not there', undefined, 'expected a file of rules: ENOENT'],
    ['has a mistake', 'rules:\n  - { name: x, stop: yess }\n', `${path}:2:22: rules[0].stop: expected true or false`],
    ['has a key that nobody knows', 'rule: []\n', `${path}:1:1: rule: unknown key`],
    ['has a rule of the block’s name', 'rules: [{ name: first, stop: true }]\n', 'as well'],
  ])('that %s is a mistake of the configuration', (_label, text, fault) => {
    rmSync(path, { force: true })
    if (text !== undefined) writeFileSync(path, text)
    const settings = rules.schema.parse({ type: 'rules', rules: [reject('first', 'casino')], file: path })
    const found = rules.problems?.(settings, { pathOf: (name) => name }) ?? []
    expect(found.map((problem) => problem.path)).toContainEqual(['file'])
    expect(found.map(({ expectation }) => expectation).join('\n')).toContain(fault)
  })
})

// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig, validate } from '@portico/config'
import { describe, expect, test } from 'vitest'
import { formatReply } from '../../src/replies.js'
import type { Decided, Outcome } from '../../src/rules/decide.js'
import { type TriedMessage, type TriedRules, tryRules } from '../../src/rules/try-rules.js'
import { smtpSchema } from '../../src/schema.js'

// Each case has rules, a message, and what has to come of it. Only what `expect` names is compared, but for `fired` and `outcome`,
// which are always: nothing fires and the message goes on where it says nothing of them.

interface Expected {
  readonly fired?: readonly string[]
  /** `go`, `discard`, `unreadable`, `quarantine ADDRESS`, or what the client is told, with `, close`. */
  readonly outcome?: string
  /** Of the last rule that was looked at: `condition: value`. */
  readonly why?: readonly string[]
  readonly exception?: string
  readonly missed?: string
  readonly event?: string
  /** Fields that go in front, and names of those that go. */
  readonly header?: readonly string[]
  readonly removed?: readonly string[]
  readonly add?: readonly string[]
  readonly redirect?: readonly string[]
  readonly setScl?: number
  readonly events?: readonly string[]
  /** Rules that were looked at. */
  readonly looked?: readonly string[]
}

interface Case extends Partial<Omit<TriedMessage, 'message'>> {
  readonly case: string
  readonly why: string
  readonly rules: readonly unknown[]
  /** Other keys of the block. */
  readonly block?: Readonly<Record<string, unknown>>
  readonly message?: string
  readonly expect?: Expected
}

const folder = new URL('corpus/', import.meta.url)
const FILES = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const casesOf = (file: string) =>
  (parseConfig(readFileSync(new URL(file, folder), 'utf8'), file).value as { readonly cases: readonly Case[] }).cases

const PLAIN = 'From: Alice <alice@example.com>\nTo: bob@example.org\nSubject: Hello\n\nGood morning.\n'

async function judged({ rules, block, message = PLAIN, ...tried }: Case): Promise<TriedRules> {
  const settings = validate(smtpSchema, { agents: [{ type: 'rules', ...block, rules }] })
  const given = { from: 'alice@example.com', to: ['bob@example.org'], ...tried, message: Buffer.from(message) }
  const [outcome] = await tryRules(settings, given, (path) => path)
  if (outcome === undefined) throw new Error('nobody was asked')
  return outcome
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'quarantine') return `quarantine ${outcome.address.text}`
  if (outcome.kind !== 'refuse') return outcome.kind
  return formatReply(outcome.reply).trimEnd() + (outcome.close ? ', close' : '')
}

const texts = (list: readonly { readonly text: string }[] | undefined) => (list ?? []).map(({ text }) => text)

/** All that a case may expect, as it is. */
function actual({ event, decision }: TriedRules, names: readonly string[]): Required<Expected> {
  const { steps, outcome, events }: Decided = decision
  const last = steps.at(-1)
  const go = outcome.kind === 'go' ? outcome : undefined
  const { edits } = outcome.kind === 'go' || outcome.kind === 'quarantine' ? outcome : { edits: undefined }
  const isRemoved = (name: string) =>
    edits?.remove?.({ name: name.toLowerCase(), rawName: name, start: 0, end: 0, text: () => '' }) === true
  return {
    fired: steps.filter(({ fired }) => fired).map(({ rule }) => rule),
    outcome: outcomeText(outcome),
    why: (last?.conditions ?? []).map(({ condition, value }) => `${condition}: ${value}`),
    exception: last?.exception === undefined ? '' : `${last.exception.condition}: ${last.exception.value}`,
    missed: last?.missed ?? '',
    event,
    header: (edits?.prepend ?? []).map((field) => field.trimEnd()),
    removed: names.filter(isRemoved),
    add: texts(go?.envelope?.add),
    redirect: texts(go?.envelope?.redirect),
    setScl: go?.setScl ?? Number.NaN,
    events: events.map(({ text }) => text),
    looked: steps.map(({ rule }) => rule),
  }
}

describe.each(FILES)('%s', (file) => {
  test.each(casesOf(file).map((one) => [one.case, one] as const))('%s', async (_, one) => {
    const expected: Expected = { fired: [], outcome: 'go', ...one.expect }
    const all = actual(await judged(one), expected.removed ?? [])
    const compared = Object.fromEntries(Object.keys(expected).map((key) => [key, all[key as keyof Expected]]))
    expect(compared, one.why).toEqual(expected)
  })
})

test('the corpus has at least sixty cases, each with its reason and no two of one name', () => {
  const cases = FILES.flatMap(casesOf)
  expect(cases.length).toBeGreaterThanOrEqual(60)
  expect(cases.filter(({ why }) => typeof why !== 'string' || why === '')).toEqual([])
  expect(new Set(cases.map((one) => one.case)).size).toBe(cases.length)
})

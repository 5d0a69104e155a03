// SPDX-License-Identifier: MIT
// biome-ignore-all lint/suspicious/noThenProperty: the word of the language; nobody awaits a rule.
import { validate } from '@portico/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mailboxOf } from '../../src/address.js'
import type { Content, Unreadable } from '../../src/content/content.js'
import { parseHeader } from '../../src/message/header-fields.js'
import { type Decided, decide } from '../../src/rules/decide.js'
import type { RuleFacts } from '../../src/rules/rule-facts.js'
import { type RulePolicy, type RuleSet, ruleSet } from '../../src/rules/rule-set.js'
import { rulesSchema } from '../../src/rules/rules-schema.js'

const POLICY: RulePolicy = { audit: false, whenUnreadable: 'tempfail' }
const CONTENT: Content = { kind: 'content', text: 'apple pear', truncated: false, attachments: [], types: new Set() }

const setOf = (rules: readonly object[], policy: Partial<RulePolicy> = {}): RuleSet =>
  ruleSet(validate(rulesSchema, rules), { ...POLICY, ...policy })

function facts(content: Content | Unreadable | undefined = CONTENT): RuleFacts {
  const bob = mailboxOf('bob@example.org')
  return {
    envelope: { sender: mailboxOf('alice@example.com'), recipients: bob === undefined ? [] : [bob] },
    fields: parseHeader(Buffer.from('From: alice@example.com\r\nSubject: plum\r\n\r\n'), 'plain'),
    client: '192.0.2.7',
    inside: false,
    size: 1_000,
    scl: 3,
    types: new Set(['fax']),
    content,
    text: 1_000,
  }
}

function decided(set: RuleSet, content?: Content | Unreadable): Decided {
  const decision = decide(set, facts(content))
  if (decision.kind !== 'decided') throw new Error('the content was not read')
  return decision
}

const fired = (set: RuleSet) => decided(set).steps.map((step) => step.fired)

/** Conditions with whether they hold for the message above. */
const CONDITIONS: readonly (readonly [key: string, value: unknown, holds: boolean])[] = [
  ['fromAddressContains', 'alice', true],
  ['fromAddressMatches', '^bob', false],
  ['fromScope', 'out', true],
  ['senderDomain', 'example.net', false],
  ['senderIp', '192.0.2.0/24', true],
  ['anyRecipientContains', 'bob', true],
  ['recipientDomain', '*.example.org', false],
  ['subjectContains', 'plum', true],
  ['subjectMatches', 'pear', false],
  ['subjectOrBodyContains', 'pear', true],
  ['subjectOrBodyMatches', '^apple', true],
  ['headerContains', { name: 'Subject', words: 'apple' }, false],
  ['messageSizeOver', '1000B', true],
  ['attachmentExtension', 'exe', false],
  ['messageType', 'fax', true],
  ['sclOver', 4, false],
]

const chosen = fc.uniqueArray(fc.constantFrom(...CONDITIONS), { maxLength: 6, selector: ([key]) => key })
const blockOf = (conditions: typeof CONDITIONS) => Object.fromEntries(conditions.map(([key, value]) => [key, value]))
const ruleOf = (given: typeof CONDITIONS, except: typeof CONDITIONS = []) =>
  setOf([{ name: 'r', if: blockOf(given), except: blockOf(except), then: [{ setScl: 1 }] }])

describe('a rule', () => {
  test('fires when all its conditions hold and no exception does', () => {
    fc.assert(
      fc.property(chosen, chosen, (given, except) => {
        const all = given.every(([, , holds]) => holds) && !except.some(([, , holds]) => holds)
        expect(fired(ruleOf(given, except))).toEqual([all])
      }),
    )
  })

  test('does not care in which order its conditions are written', () => {
    fc.assert(
      fc.property(chosen, chosen, (given, except) => {
        expect(decided(ruleOf(given.toReversed(), except.toReversed()))).toEqual(decided(ruleOf(given, except)))
      }),
    )
  })

  test('an exception that holds overrides everything', () => {
    fc.assert(
      fc.property(chosen, (given) => {
        const set = ruleOf(given, [['fromScope', 'out', true]])
        expect(fired(set)).toEqual([false])
      }),
    )
  })

  test('more values of a condition only make it hold more often', () => {
    const words = fc.array(fc.constantFrom('plum', 'apple', 'pear', 'fig'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(words, words, (some, more) => {
        const holds = (values: readonly string[]) => fired(ruleOf([['subjectContains', values, true]]))[0]
        expect(holds([...some, ...more])).toBe(holds(some) || holds(more))
      }),
    )
  })
})

describe('rules together', () => {
  const rule = fc.record({
    priority: fc.option(fc.nat(5), { nil: undefined }),
    if: chosen.map(blockOf),
    stop: fc.boolean(),
    mode: fc.constantFrom('enforce', 'audit'),
    then: fc.constantFrom([{ setScl: 1 }], [{ logEvent: 'x' }], [{ delete: true }], [{ redirectTo: 'c@example.org' }]),
  })
  const list = fc
    .array(rule, { maxLength: 6 })
    .map((rules) => rules.map((one, index) => JSON.parse(JSON.stringify({ ...one, name: `r${index}` })) as object))

  test('the same facts give the same decision', () => {
    fc.assert(
      fc.property(list, (rules) => {
        const set = setOf(rules)
        expect(decided(set)).toEqual(decided(set))
      }),
    )
  })

  test('in audit mode nothing is ever changed, and every rule is looked at', () => {
    fc.assert(
      fc.property(list, (rules) => {
        const { outcome, steps, events } = decided(setOf(rules, { audit: true }))
        expect(outcome).toEqual({ kind: 'go' })
        expect(steps).toHaveLength(rules.length)
        expect(events).toEqual([])
      }),
    )
  })

  test('a rule in audit mode makes no difference', () => {
    fc.assert(
      fc.property(list, (rules) => {
        const without = decided(setOf(rules.filter((one) => !('mode' in one && one.mode === 'audit')).map(withPlace)))
        expect(decided(setOf(rules.map(withPlace))).outcome).toEqual(without.outcome)
      }),
    )
  })

  test('what is not read is asked for only where it decides', () => {
    fc.assert(
      fc.property(list, (rules) => {
        const set = setOf(rules)
        const early = decide(set, { ...facts(), content: undefined })
        if (early.kind === 'decided') expect(early.outcome).toEqual(decided(set).outcome)
        else expect(set.event).toBe('dataEnd')
      }),
    )
  })
})

/** A number that does not change when rules beside it go. */
function withPlace(rule: object): object {
  const { name, priority } = rule as { readonly name: string; readonly priority?: number }
  return { ...rule, priority: (priority ?? 5) * 10 + Number(name.slice(1)) }
}

describe('when rules are asked', () => {
  test.each<[string, object, 'headers' | 'dataEnd']>([
    ['conditions on the header section', { if: { subjectContains: 'x' }, then: [{ setScl: 1 }] }, 'headers'],
    ['conditions on the envelope', { if: { recipientDomain: 'x' }, then: [{ reject: {} }] }, 'headers'],
    ['a condition on the body', { if: { subjectOrBodyContains: 'x' }, then: [{ reject: {} }] }, 'dataEnd'],
    ['an exception on attachments', { except: { attachmentName: 'x' }, then: [{ reject: {} }] }, 'dataEnd'],
    ['a condition on the size', { if: { messageSizeOver: '1KiB' }, then: [{ reject: {} }] }, 'dataEnd'],
    ['a condition on a level', { if: { sclOver: 3 }, then: [{ reject: {} }] }, 'dataEnd'],
    ['other recipients', { then: [{ blindCopyTo: 'a@example.org' }] }, 'dataEnd'],
    ['deletion', { then: [{ delete: true }] }, 'dataEnd'],
    ['quarantine', { then: [{ quarantine: 'a@example.org' }] }, 'dataEnd'],
    ['types that the header section tells', { if: { messageType: ['auto-reply', 'voice'] }, stop: true }, 'headers'],
    ['types that it may not tell', { if: { messageType: ['auto-reply', 'calendaring'] }, stop: true }, 'dataEnd'],
    ['a rule that is off', { enabled: false, then: [{ delete: true }] }, 'headers'],
  ])('%s', (_label, rule, event) => {
    expect(setOf([{ name: 'r', ...rule }]).event).toBe(event)
  })

  test('one rule that has to see more keeps the others for later, so that their order holds', () => {
    const set = setOf([
      { name: 'a', then: [{ setScl: 1 }] },
      { name: 'b', then: [{ delete: true }] },
    ])
    expect(set.event).toBe('dataEnd')
  })
})

// SPDX-License-Identifier: MIT
import { type ConfigError, formatProblem, located, parseConfig, validate } from '@portico/config'
import { describe, expect, test } from 'vitest'
import { rulesFileSchema } from '../../src/rules/rules-schema.js'

/** What is said of a rule that is written so behind `- name: r`. */
function faults(rule: string): string {
  const text = `rules:\n  - name: r\n${rule.replace(/^/gm, '    ')}\n`
  const { value, source } = parseConfig(text, 'f')
  try {
    located(source, () => validate(rulesFileSchema, value))
    return ''
  } catch (error) {
    return (error as ConfigError).problems.map(formatProblem).join('\n')
  }
}

describe('a mistake in a rule is told with its place', () => {
  test.each([
    ['an unknown condition', 'if: { subjectHas: x }\nstop: true', 'f:3:11: rules[0].if.subjectHas: unknown key'],
    ['an unknown action', 'then: [{ bounce: true }]', 'rules[0].then[0].bounce: unknown key'],
    ['two actions in one', 'then: [{ delete: true, setScl: 1 }]', 'f:3:12: rules[0].then[0]: expected one action'],
    ['nothing to do', 'if: { subjectContains: x }', 'rules[0].then: expected an action, or `stop: true`'],
    [
      'a back-reference',
      "if: { subjectMatches: '(a)\\1' }\nstop: true",
      'f:3:27: rules[0].if.subjectMatches: expected a pattern',
    ],
    [
      'one bad pattern of two',
      'if: { subjectMatches: [a, "("] }\nstop: true',
      'f:3:31: rules[0].if.subjectMatches[1]: expected a pattern',
    ],
    [
      'an empty word',
      'if: { subjectContains: [a, " "] }\nstop: true',
      'subjectContains[1]: expected a word or a phrase',
    ],
    ['no value', 'if: { subjectContains: [] }\nstop: true', 'subjectContains: expected at least 1 entries'],
    ['no network', 'if: { senderIp: 10.0.0.0/99 }\nstop: true', 'senderIp: expected an address or a CIDR block'],
    ['a kind that does not exist', 'if: { messageType: memo }\nstop: true', 'messageType: expected auto-forward or'],
    ['a level out of range', 'then: [{ setScl: 10 }]', 'setScl: expected at most 9'],
    ['no address', 'then: [{ copyTo: bob }]', 'copyTo: expected an address in ASCII'],
    [
      'an address that backends may not take',
      'then: [{ copyTo: jörg@example.org }]',
      'copyTo: expected an address in ASCII',
    ],
    ['a code that accepts', 'then: [{ reject: { code: 250 } }]', 'reject.code: expected a reply code from 400 to 559'],
    [
      'a status of another class',
      'then: [{ reject: { code: 450, enhanced: 5.7.1 } }]',
      'reject.enhanced: expected a status code of the same class',
    ],
    [
      'a status for something else',
      'then: [{ reject: { enhanced: 5.1.1 } }]',
      'reject.enhanced: expected 5.7.1 or one from 5.7.900 to 5.7.999',
    ],
    ['a reply of two lines', 'then: [{ reject: { text: "a\\r\\n250 b" } }]', 'reject.text: expected one line of text'],
    [
      'a field of two lines',
      'then: [{ setHeader: { name: X-A, value: "a\\r\\nB: c" } }]',
      'setHeader.value: expected one line of text',
    ],
    ['no name of a field', 'then: [{ removeHeader: "a b" }]', 'removeHeader: expected the name of a header field'],
    ['a field by which loops are found', 'then: [{ removeHeader: received }]', 'removeHeader: expected another field'],
    [
      'a field that says how to read the rest',
      'then: [{ setHeader: { name: Content-Type, value: a } }]',
      'setHeader.name: expected another field',
    ],
  ])('%s', (_label, rule, fault) => {
    expect(faults(rule)).toContain(fault)
  })

  test('two rules of one name', () => {
    const { value, source } = parseConfig('rules:\n  - { name: a, stop: true }\n  - { name: a, stop: true }\n', 'f')
    expect(() => located(source, () => validate(rulesFileSchema, value))).toThrow(
      'f:3:13: rules[1].name: expected a name that no other rule has',
    )
  })
})

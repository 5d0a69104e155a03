// SPDX-License-Identifier: MIT
import { NEVER } from '@portico/base'
import { expect, test } from 'vitest'
import { judgeMessage } from '../../src/rules/judge-message.js'
import type { RuleFacts } from '../../src/rules/rule-facts.js'
import { ruleSet } from '../../src/rules/rule-set.js'
import { rulesAgentSchema } from '../../src/rules/rules-schema.js'
import { fieldsOf, messageOf, octetsOf } from '../content/support.js'

test('a disk that fails says nothing of the message: no rule decides', async () => {
  const rules = [{ name: 'programs', if: { attachmentExtension: 'exe' }, stop: true }]
  const settings = rulesAgentSchema.parse({ type: 'rules', whenUnreadable: 'no-match', rules })
  const set = ruleSet(settings.rules, { audit: false, whenUnreadable: settings.whenUnreadable })
  const octets = octetsOf('Subject: x\n\ny\n')
  const facts: RuleFacts = {
    envelope: { sender: undefined, recipients: [] },
    fields: fieldsOf(octets),
    client: '192.0.2.1',
    inside: false,
    size: undefined,
    scl: undefined,
    types: new Set(),
    content: undefined,
    text: settings.text,
  }
  const whole = messageOf(octets)
  expect(await judgeMessage(set, facts, whole, NEVER)).toMatchObject({ outcome: { kind: 'go' } })
  const broken = { ...whole, read: async () => 'failed' as const }
  await expect(judgeMessage(set, facts, broken, NEVER)).rejects.toThrow('the disk failed')
})

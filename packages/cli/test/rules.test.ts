// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'
import { describe, expect, test } from 'vitest'
import { type RulesTest, testRules } from '../src/rules.js'

const folder = privateFolder('rul')

const SITE = `
version: 1
networks: { internal: [198.51.100.0/24] }
listeners: [{ protocol: smtp, address: "127.0.0.1:2525", tls: none, connector: inbound }]
credentials: [{ type: users-file, path: users }]
location: [{ type: rule, match: { domain: example.org }, group: mta }]
backends: { mta: { identity: none, smtp: { endpoints: ["127.0.0.1:2526"] } } }
smtp:
  connectors: { inbound: { domains: [example.org] } }
  agents:
    - type: rules
      rules:
        - name: mark strangers
          if: { fromScope: out, recipientDomain: [example.com, example.org] }
          except: { subjectContains: "[external]" }
          then: [{ prependSubject: "[external] " }]
        - name: copies of bills
          if: { subjectContains: [invoice, bill] }
          then: [{ blindCopyTo: archive@example.org }, { setScl: 1 }]
        - name: only watching
          mode: audit
          if: { subjectOrBodyMatches: 'card \\d+' }
          then: [{ delete: true }]
        - name: no programs
          if: { attachmentExtension: [exe, scr] }
          then: [{ reject: { text: No programs } }]
        - name: spam
          if: { sclOver: 7 }
          then: [{ quarantine: spam@example.org }]
          stop: true
        - name: trash
          if: { subjectContains: trash }
          then: [{ delete: true }]
        - name: faxes
          if: { messageType: fax }
          then: [{ disconnect: true }]
`

const written = (name: string, text: string) => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
written('users', '')
const config = written('site.yaml', SITE)
const message = (text: string) => written('message.eml', text)

const test1: RulesTest = { config, from: 'carol@example.net', to: ['alice@example.org'] }
async function tried(text: string, more: Partial<RulesTest> = {}) {
  return testRules(message(text), { ...test1, ...more })
}

describe('portico rules test', () => {
  test('tells of each rule in its order whether it fired and why, and what becomes of the message', async () => {
    const { text, code } = await tried('Subject: Your invoice\n\nfrom your card 123\n')
    expect(text).toBe(`rules of smtp.agents[0], all connectors, at the end of the message
  fired: mark strangers
    holds: fromScope: out
    holds: recipientDomain: example.org
    does: prependSubject "[external] "
  fired: copies of bills
    holds: subjectContains: invoice
    does: blindCopyTo archive@example.org
    does: setScl 1
  fired: only watching (audit: nothing was done)
    holds: subjectOrBodyMatches: card \\d+
    does: delete
  did not fire: no programs (attachmentExtension does not hold)
  did not fire: spam (sclOver does not hold)
  did not fire: trash (subjectContains does not hold)
  did not fire: faxes (messageType does not hold)
outcome: the message goes on
    to archive@example.org, too
    with SCL 1
    with "Subject: [external] Your invoice"
`)
    expect(code).toBe(0)
  })

  const attachment = 'Content-Type: application/octet-stream; name=x.scr\n\nx\n'
  const outcomes: readonly (readonly [
    label: string,
    text: string,
    more: Partial<RulesTest>,
    outcome: string,
    code: number,
  ])[] = [
    ['a refusal', attachment, {}, 'outcome: refused: 550 5.7.1 No programs', 2],
    ['a quarantine', 'Subject: x\n\n', { scl: 8 }, 'outcome: quarantine of spam: spam@example.org', 2],
    ['a deletion', 'Subject: trash\n\n', {}, 'outcome: deleted by trash, and the client is told that all is well', 2],
    [
      'a connection that is closed',
      'Subject: x\n\n',
      { type: ['fax'] },
      'outcome: refused: 421 4.7.0 Closing connection, and the connection is closed',
      2,
    ],
    ['an exception', 'Subject: [external] x\n\n', {}, '  did not fire: mark strangers (an exception holds)', 0],
    [
      'somebody who has signed in',
      'Subject: x\n\n',
      { user: 'alice' },
      '  did not fire: mark strangers (fromScope does not hold)',
      0,
    ],
    [
      'a client of a network of one’s own',
      'Subject: x\n\n',
      { client: '198.51.100.7' },
      '  did not fire: mark strangers (fromScope does not hold)',
      0,
    ],
    [
      'another recipient among several',
      'Subject: x\n\n',
      { to: ['a@example.net', 'b@example.com'] },
      '    holds: recipientDomain: example.com',
      0,
    ],
  ]
  test.each(outcomes)('%s', async (_label, text, more, outcome, code) => {
    const done = await tried(text, more)
    expect(done.text).toContain(`${outcome}\n`)
    expect(done.code).toBe(code)
  })

  test('lines that end with LF and those that end with CRLF mean the same', async () => {
    const text =
      'Subject: bill\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png; name=x.exe\n\nx\n--b--\n'
    expect(await tried(text)).toEqual(await tried(text.replaceAll('\n', '\r\n')))
    expect((await tried(text)).text).toContain('attachmentExtension: exe')
  })

  test('as JSON', async () => {
    const done = await tried('Subject: a bill\n\n', { json: true, from: '<>' })
    const [block] = JSON.parse(done.text)
    expect(block).toMatchObject({ agent: 0, event: 'dataEnd' })
    expect(block.steps[1]).toEqual({
      ...{ rule: 'copies of bills', mode: 'enforce', fired: true, stop: false },
      conditions: [{ condition: 'subjectContains', value: 'bill' }],
      actions: ['blindCopyTo archive@example.org', 'setScl 1'],
    })
    expect(block.outcome).toEqual({
      ...{ kind: 'go', add: ['archive@example.org'], scl: 1 },
      fields: ['Subject: [external] a bill'],
    })
  })

  test('a configuration without rules says so', async () => {
    const bare = written('bare.yaml', SITE.slice(0, SITE.indexOf('  agents:')))
    expect(await tried('Subject: x\n\n', { config: bare })).toEqual({
      text: 'no rules: the configuration has no agent of type rules\n',
      code: 0,
    })
  })

  test.each([
    ['an address that is none', { from: 'no body@' }, /no body@/],
    ['a client that is none', { client: 'mail.example' }, /not the address of a client: mail\.example/],
    ['a configuration that is none', { config: written('bad.yaml', 'version: 1\nsmpt: {}\n') }, /bad\.yaml/],
  ])('%s', async (_label, more, said) => {
    await expect(tried('Subject: x\n\n', more)).rejects.toThrow(said)
  })

  test('a file that is not there', async () => {
    await expect(testRules(join(folder, 'none.eml'), test1)).rejects.toThrow(/none\.eml/)
  })
})

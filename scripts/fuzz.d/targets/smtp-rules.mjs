// SPDX-License-Identifier: MIT
// biome-ignore-all lint/suspicious/noThenProperty: the word of the language; nobody awaits a rule.
import { must } from '../engine.mjs'

const everything = {
  subjectContains: 'casino',
  subjectOrBodyContains: ['lottery winner', '*'],
  subjectOrBodyMatches: '^(a+)+$',
  fromAddressContains: '@example.org',
  fromAddressMatches: '(.*)*x$',
  senderDomain: ['example.org', '*.example.org'],
  headerContains: { name: ['Subject', 'X-A', 'Received'], words: 'a' },
  attachmentName: '\\.exe$',
  attachmentExtension: 'exe',
  attachmentSizeOver: '1KiB',
  messageType: ['encrypted', 'auto-reply'],
}
const RULES = [
  // One for each condition: together they would hold for nothing.
  ...Object.entries(everything).map(([key, value]) => ({ name: key, if: { [key]: value }, mode: 'audit', stop: true })),
  { name: 'prefix', then: [{ prependSubject: '[x] ' }, { prependSubject: '[ü] ' }] },
  { name: 'people', then: [{ addRecipients: 'carol@example.org' }, { copyTo: 'dave@example.org' }] },
  { name: 'fields', then: [{ setHeader: { name: 'X-A', value: 'ä' } }, { removeHeader: 'X-B' }] },
]
const CHANGED = ['subject', 'to', 'cc', 'x-a', 'x-b']

/** What rules look at in a message, and what they make of its header section. */
export async function smtpRuleTargets(load) {
  const { tryRules } = await load('protocols/smtp', 'rules/try-rules')
  const { agentsSchema } = await load('protocols/smtp', 'agents/agents-schema')
  const { editHeader, parseHeader } = await load('protocols/smtp', 'message/header-fields')
  const { HeaderSection } = await load('protocols/smtp', 'message/header-section')
  const agents = agentsSchema.parse([{ type: 'rules', whenUnreadable: 'no-match', rules: RULES }])

  return [
    {
      name: 'smtp-rules',
      words: [
        ...[
          '\r\n',
          '\r\n ',
          '\r\n\t',
          '\r\n\r\n',
          '\n',
          '\r',
          '\0',
          ':',
          ' ',
          '.',
          ',',
          ';',
          '<',
          '>',
          '"',
          '(',
          ')',
          '@',
        ],
        ...[
          'Subject: ',
          'From: ',
          'To: ',
          'Cc: ',
          'X-A: ',
          'a@example.org',
          'casino',
          '=?utf-8?q?',
          '=?utf-8?b?',
          '?=',
        ],
        ...[
          'Content-Type: multipart/mixed; boundary=b\r\n',
          '--b\r\n',
          '--b--\r\n',
          'filename=x.exe',
          '\xc3\xbc',
          '\xff',
        ],
      ],
      examples: [
        'From: A <a@example.org>\r\nTo: b@example.org,\r\n c@example.org\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\r\ncasino\r\n',
        'Subject: [x] y\r\nSubject: z\r\nTo: undisclosed-recipients:;\r\n\r\n',
        ' x\r\n\r\n',
      ],
      async run(bytes) {
        const [tried] = await tryRules({ agents }, { message: bytes, from: '', to: ['bob@example.org'] }, String)
        const octets = Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
        const section = new HeaderSection(octets.length)
        section.take(octets, octets.length)
        const before = Buffer.from(section.finish())
        const { edits, envelope } = tried.decision.outcome
        const after = Buffer.concat(editHeader(before, parseHeader(before, 'plain'), [edits], 'plain'))
        return { before: before.toString('latin1'), after: after.toString('latin1'), add: envelope.add.length, edits }
      },
      check({ before, after, add, edits }) {
        must(add === 2, 'somebody does not get it')
        const front = parseHeader(Buffer.from(edits.prepend.join(''), 'latin1'), 'plain')
        must(!front.faulty && front.list.length === edits.prepend.length, 'a field became several')
        must(
          front.list.every(({ name }) => CHANGED.includes(name)),
          'another field was changed',
        )
        const { list } = parseHeader(Buffer.from(before, 'latin1'), 'plain')
        const kept = list
          .filter(({ name }) => !CHANGED.includes(name))
          .map(({ start, end }) => before.slice(start, end))
        must(after.endsWith(kept.join('') + before.slice(list.at(-1)?.end ?? 0)), 'what no rule names was changed')
      },
    },
  ]
}

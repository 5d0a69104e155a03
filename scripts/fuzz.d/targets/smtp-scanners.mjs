// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

/** What services that agents ask may answer. */
export async function smtpScannerTargets(load) {
  const { frameLength, readAnswer } = await load('protocols/smtp', 'agents/milter/answers')
  const { HeaderPlan } = await load('protocols/smtp', 'agents/milter/header-plan')
  const { readScanReply } = await load('protocols/smtp', 'agents/clamav/reply')
  const { opinionOf, readReply } = await load('protocols/smtp', 'agents/rspamd/reply')
  const { editHeader, parseHeader } = await load('protocols/smtp', 'message/header-fields')
  const section = Buffer.from('Subject: hello\r\nX-A: 1\r\nx-a: 2\r\n\r\n')
  const fields = parseHeader(section, 'plain')
  const edited = (edits) => Buffer.concat(editHeader(section, fields, edits === undefined ? [] : [edits], 'plain'))

  return [
    {
      name: 'milter-answers',
      words: [
        ...[
          '\0',
          '\0\0\0\x01',
          '\0\0\0\x10',
          '\0\x01\0\0',
          '\r\n',
          '\n',
          '\n\t',
          ' ',
          ':',
          '\xff',
          'X-A',
          'Subject',
          'a',
        ],
        ...[...'acdfprstyhimbqe+-4O', 'y550 5.7.1 No\0', 'y451-', '<a@b.example>'],
      ],
      examples: [
        '\0\0\0\x01c',
        '\0\0\0\x0chX-B\0b\n\tc\0',
        '\0\0\0\x0bm\0\0\0\x01X-A\0\0',
        '\0\0\0\x0ey550 5.7.1 No\0',
      ],
      throws: (error) => error?.constructor?.name === 'MilterFault',
      async run(bytes) {
        const plan = new HeaderPlan(fields)
        const kinds = []
        for (let at = 0; at + 4 <= bytes.length; ) {
          const length = frameLength(bytes.subarray(at, at + 4))
          const answer = readAnswer(bytes.subarray(at + 4, at + 4 + length))
          kinds.push(answer.kind)
          if (answer.kind === 'reply')
            must(answer.reply.code >= 400 && answer.reply.code < 600, 'it let a message pass')
          if (answer.kind.endsWith('-header')) plan.apply(answer)
          at += 4 + length
        }
        return { kinds, header: edited(plan.edits()).toString('latin1') }
      },
      check({ thrown, header }) {
        if (thrown === undefined) checkHeader(header, parseHeader)
      },
    },
    {
      name: 'clamd-answer',
      words: [
        'stream: ',
        'OK',
        ' FOUND',
        ' ERROR',
        'INSTREAM size limit exceeded.',
        'Eicar',
        '\r\n',
        '\0',
        '\xff',
        ' ',
      ],
      examples: ['stream: OK', 'stream: Eicar FOUND', 'INSTREAM size limit exceeded. ERROR'],
      throws: (error) => /^clamd answered: [ -~]*$/.test(error?.message),
      run: async (bytes) => readScanReply(bytes.toString('latin1')),
      check(result, bytes) {
        if (result.kind === 'clean')
          must(bytes.toString('latin1') === 'stream: OK', 'something else was taken for clean')
        if (result.kind === 'found')
          must(/^[ -~]{1,100}$/.test(result.signature), 'a name that cannot stand in a reply')
      },
    },
    {
      name: 'rspamd-answer',
      words: [
        ...[
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\n',
          '\\r',
          '\\u0000',
          'null',
          '1e9',
          '-1',
          '"reject"',
          '"add header"',
        ],
        ...[
          '"action":',
          '"score":7',
          '"milter":',
          '"add_headers":',
          '"remove_headers":',
          '"X-A"',
          '"value":',
          '"symbols":',
        ],
      ],
      examples: [
        '{"action":"add header","score":7.5,"milter":{"add_headers":{"X-B":{"value":"b","order":1}},"remove_headers":{"X-A":0}}}',
        '{"action":"reject","score":20,"symbols":{"A":{"score":3},"B":{"score":1}},"messages":{"smtp_message":"No"}}',
        '{"action":"rewrite subject","score":9,"subject":"*** hello","dkim-signature":"v=1;\\r\\n\\tb=abc"}',
      ],
      throws: (error) => error instanceof SyntaxError || error?.constructor?.name === 'ZodError',
      async run(bytes) {
        const policy = { sclFrom: [1, 2, 3, 4, 6, 8, 10, 12, 15], hasQuarantine: true }
        const opinion = opinionOf(readReply(bytes.toString('utf8')), fields, policy)
        return { ...opinion, header: edited(opinion.edits).toString('latin1') }
      },
      check({ thrown, header, reason = '', notes }) {
        if (thrown === undefined) checkHeader(header, parseHeader)
        must(/^[ -~]{0,1000}$/.test(reason), 'a reason that is no line')
        must(notes === undefined || (notes.scl >= 1 && notes.scl <= 9), 'a level that is none')
      },
    },
  ]
}

function checkHeader(header, parseHeader) {
  const { faulty, list } = parseHeader(Buffer.from(header, 'latin1'), 'plain')
  must(!faulty && list.every(({ name }) => name !== ''), 'a line that is no field')
  must(header.indexOf('\r\n\r\n') === header.length - 4, 'the section ends in the midst')
}

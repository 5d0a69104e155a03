// SPDX-License-Identifier: MIT
import { must, plain } from '../engine.mjs'
import { FakeLeg } from '../fake-leg.mjs'
import { BACKEND, sessionOf } from './stage.mjs'

const MOST_COMMANDS = 100

/** Commands of a client, and everything that a backend says until the user is in. */
export async function imap4Targets(load) {
  const { readCommand } = await load('protocols/imap4', 'read-command')
  const parse = await load('protocols/imap4', 'parse')
  const { formatId, idPairs } = await load('protocols/imap4', 'commands/id')
  const { imap4Driver } = await load('protocols/imap4', 'driver')
  const { BackendClient } = await load('protocols/imap4', 'backend-client')
  const { ClientDialogue } = await load('packages/session', 'client-dialogue')
  const { BackendDialogue } = await load('packages/session', 'backend-dialogue')

  return [
    {
      name: 'imap4-command',
      streams: true,
      words: [
        'a1 ',
        'LOGIN ',
        'ID ',
        'AUTHENTICATE ',
        'NOOP',
        '\r\n',
        '\n',
        '\r',
        '(',
        ')',
        '"',
        '\\',
        ' ',
        'NIL',
        '{',
        '}',
        '{3}\r\n',
      ].concat([
        '{3+}\r\n',
        '{0}',
        '{70000+}\r\n',
        '{99999999999999999999}\r\n',
        '{4096+}\r\n',
        'xyz',
        'PROXY ',
        '\0',
        '\xff',
        '"a" "b"',
      ]),
      examples: [
        'a1 LOGIN {5}\r\nalice {6+}\r\nsecret\r\na2 NOOP\r\n',
        'a ID ("name" "x" "version" NIL)\r\n',
        'a AUTHENTICATE PLAIN =\r\n',
      ],
      async run(_bytes, pieces) {
        const { leg, session } = await sessionOf(load, pieces)
        const dialogue = new ClientDialogue(session)
        const reads = []
        for (let first = true; reads.length < MOST_COMMANDS; first = false) {
          const rules = { line: 8_192, authLine: 16_384, passwordRefusal: () => undefined, first }
          const read = await readCommand(dialogue, rules)
          reads.push(read)
          if (read.kind === 'gone' || read.kind === 'foreign' || read.kind === 'flood') break
        }
        return { reads, written: leg.written }
      },
      check({ reads }) {
        for (const { kind, command } of reads) {
          if (kind !== 'command') continue
          must(/^[A-Z][A-Z0-9-]*$/.test(command.name), 'a name is a name')
          for (const value of command.args) {
            const text = parse.textOf(value)
            const pairs = idPairs(value)
            if (text !== undefined && parse.quoted(text) !== undefined) sameArgument(parse, text)
            if (pairs !== undefined) samePairs(parse, { formatId, idPairs }, pairs)
          }
        }
      },
    },
    {
      name: 'imap4-backend',
      streams: true,
      words: [
        '* OK ',
        '* BYE ',
        '* PREAUTH ',
        '* CAPABILITY ',
        '[CAPABILITY ',
        ']',
        'IMAP4rev1 ',
        'AUTH=PLAIN ',
        '\r\n',
        '\n',
        '\r',
        'P1 OK ',
      ].concat([
        'P1 NO ',
        'P1 BAD',
        'G1 OK',
        'G1 NO',
        '+ ',
        '+',
        '[UNAVAILABLE]',
        '[AUTHENTICATIONFAILED] no',
        '* ',
        '\0',
        '\xff',
        ' ',
      ]),
      examples: [
        '* OK [CAPABILITY IMAP4rev1 ID] hi\r\nP1 OK [CAPABILITY IMAP4rev1] in\r\n',
        '* OK hi\r\n* CAPABILITY X\r\nG1 OK\r\n+ \r\nP1 NO [EXPIRED] x\r\n',
      ],
      async run(_bytes, pieces) {
        const { NEVER } = await load('packages/base', 'cancellation')
        const leg = new FakeLeg(pieces)
        const prepared = await imap4Driver().prepare(leg, BACKEND, NEVER)
        if (prepared.kind !== 'ready') return prepared
        const client = new BackendClient(new BackendDialogue(leg, BACKEND, 'login', NEVER), 'P')
        const answer = await client.command('AUTHENTICATE PLAIN', ['AAAA'])
        return { prepared, answer, code: answer.rest === undefined ? undefined : parse.responseCode(answer.rest) }
      },
    },
  ]
}

function sameArgument(parse, text) {
  const command = parse.parseCommand([{ kind: 'text', text: `a X ${parse.quoted(text)}` }])
  must(parse.textOf(command?.args[0]) === text, `quoted and read again it is another text: ${JSON.stringify(text)}`)
}

function samePairs(parse, { formatId, idPairs }, pairs) {
  const kept = [...pairs].filter(([key, value]) => parse.quoted(key) && parse.quoted(value))
  const command = parse.parseCommand([{ kind: 'text', text: `a ID ${formatId(new Map(kept))}` }])
  const again = [...(idPairs(command?.args[0]) ?? [])]
  must(plain(again) === plain(kept), `written and read again it is another ID: ${plain(kept)}`)
}

// SPDX-License-Identifier: MIT
import { FakeLeg } from '../fake-leg.mjs'
import { BACKEND, linesOf, sessionOf } from './stage.mjs'

export async function pop3Targets(load) {
  const parse = await load('protocols/pop3', 'parse')
  const { pop3Driver } = await load('protocols/pop3', 'driver')
  const { ask } = await load('protocols/pop3', 'backend-client')
  const { ClientDialogue } = await load('packages/session', 'client-dialogue')
  const { BackendDialogue } = await load('packages/session', 'backend-dialogue')

  return [
    {
      name: 'pop3-command',
      streams: true,
      words: [
        'USER ',
        'PASS ',
        'AUTH ',
        'PLAIN',
        'CAPA',
        'STLS',
        '\r\n',
        '\n',
        '\r',
        ' ',
        '=',
        'AAAA',
        '\0',
        '\xff',
        'GET / HTTP/1.1',
        'PROXY TCP4',
      ],
      examples: ['USER alice\r\nPASS my secret\r\n', 'AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n', 'CAPA\r\nQUIT\r\n'],
      async run(_bytes, pieces) {
        const { session } = await sessionOf(load, pieces)
        return linesOf(new ClientDialogue(session), 16_384, 200, (text) => {
          const command = parse.parseCommand(text)
          const rest = command?.rest
          const more = rest === undefined ? [] : [parse.parseAuth(rest), parse.textOf(rest)]
          return [command, parse.isForeign(text), ...more]
        })
      },
    },
    {
      name: 'pop3-backend',
      streams: true,
      words: [
        '+OK',
        '-ERR',
        '+ ',
        '+',
        ' ',
        '[AUTH]',
        '[SYS/TEMP]',
        '[XCLIENT]',
        '\r\n',
        '\n',
        '\r',
        '.',
        '..',
        'SASL PLAIN',
        'XCLIENT',
        'STLS',
        '\0',
        '\xff',
      ],
      examples: ['+OK hi\r\n+OK\r\nSASL PLAIN\r\nXCLIENT\r\n.\r\n+OK in\r\n', '+OK\r\n-ERR no\r\n-ERR [AUTH] no\r\n'],
      async run(_bytes, pieces) {
        const { NEVER } = await load('packages/base', 'cancellation')
        const leg = new FakeLeg(pieces)
        const prepared = await pop3Driver().prepare(leg, BACKEND, NEVER)
        if (prepared.kind !== 'ready') return prepared
        const answer = await ask(new BackendDialogue(leg, BACKEND, 'login', NEVER), 'AUTH PLAIN AAAA')
        return { prepared, answer }
      },
    },
  ]
}

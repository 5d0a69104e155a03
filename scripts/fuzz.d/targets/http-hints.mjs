// SPDX-License-Identifier: MIT
// What a request says of another mailbox and of a device: whatever is believed of it could stand in a log, and is no host.
import { must } from '../engine.mjs'

const LIMITS = { head: 4_096, target: 4_096, fields: 40 }

export async function httpHintTargets(load) {
  const { readDeviceRequest } = await load('protocols/http', 'activesync/query')
  const { anchorOf, ANCHOR_KINDS } = await load('protocols/http', 'routing/anchors')
  const { parseRequestHead } = await load('protocols/http', 'codec/head')
  const { readTarget } = await load('protocols/http', 'directory/target')

  return [
    {
      name: 'activesync-query',
      words: [
        'Cmd=',
        'User=',
        'DeviceId=',
        'DeviceType=',
        '&',
        '=',
        '%',
        '%3D',
        'jAAJBAp2MTQw',
        'Sync',
        'Ping',
        '\\',
        '@',
      ],
      examples: ['?jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l', '?Cmd=Sync&User=kim&DeviceId=d1&DeviceType=Phone'],
      async run(bytes) {
        const text = bytes.toString('latin1')
        // Half of the inputs as octets of the base64 form.
        return [readDeviceRequest(text), readDeviceRequest(`?${bytes.toString('base64')}`)]
      },
      check(result) {
        for (const read of result) {
          if (read === undefined) continue
          must(/^(?:[A-Za-z]{1,32}|#\d{1,3})$/.test(read.command), 'a command that is no word')
          for (const label of [read.deviceId, read.deviceType]) {
            must(label === undefined || /^[\x20-\x7e]{1,64}$/.test(label), 'a device that could not stand in a log')
          }
          must(!/[\0-\x1f\x7f]/.test(read.user ?? ''), 'a control character in a user name')
        }
      },
    },
    {
      name: 'http-anchor',
      words: [
        '/owa/',
        '@',
        '%40',
        '%2F',
        '?MailboxId=',
        'X-AnchorMailbox: ',
        '\r\n',
        'SMTP:',
        ':444',
        '[',
        ']',
        '\\',
        '~',
        'kim',
        '.',
      ],
      examples: ['/kim@example.com/x?MailboxId=kim@example.com', '/x?kim@example.com:6001'],
      async run(bytes) {
        const head = parseRequestHead(
          Buffer.concat([Buffer.from('GET '), bytes, Buffer.from(' HTTP/1.1\r\n\r\n')]),
          LIMITS,
        )
        if (head.kind === 'bad') return head.why
        const target = readTarget(head.target)
        if (target.kind !== 'path') return target.kind
        const places = { rest: target.path, query: target.query, fields: head.fields, user: bytes.toString('latin1') }
        return ANCHOR_KINDS.map((kind) => anchorOf([kind], places)).filter((found) => found !== undefined)
      },
      check(result) {
        if (typeof result === 'string') return
        for (const { from, mailbox } of result) {
          must(
            mailbox.length <= 254 && !/[\s\0-\x1f\x7f/:;,<>"()[\]%?#&]/.test(mailbox),
            'a name that could be taken apart',
          )
          must(from === 'user' || mailbox.split('@').length === 2, 'not one address')
        }
      },
    },
  ]
}

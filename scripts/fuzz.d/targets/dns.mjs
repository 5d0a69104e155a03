// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { must } from '../engine.mjs'

const NAMES = [
  '.',
  '-',
  '_',
  '=',
  '+',
  '\\',
  ' ',
  '\0',
  '\xff',
  'a',
  '1',
  'xn--',
  'example',
  'a'.repeat(63),
  '[',
  ']',
  '\n',
]
const TRACES = [
  ...['from ', 'by ', ' (', ')', '[', ']', 'helo=', 'ident=', '(HELO ', 'IPv6:', '::ffff:', '\r\n\t', ';', ' '],
  ...['192.0.2.1', '2001:db8::1', '999.1.1.1', 'mx.example', 'local', 'with ESMTP', '\0', '\xff'],
]

/** What is asked of the DNS on a stranger's word, and what lists answer. */
export async function dnsTargets(load) {
  const { askableName } = await load('protocols/smtp', 'agents/dns/dns-name')
  const { clientOf } = await load('protocols/smtp', 'agents/dns-list/received-origin')
  const { replyText } = await load('protocols/smtp', 'agents/dns-list/reply-text')

  return [
    {
      name: 'dns-name',
      words: NAMES,
      examples: ['mail.example.org.', 's1._domainkey.example', 'a..b', '192.0.2.1', 'a\\046b.example'],
      run: (bytes) => {
        const text = bytes.toString()
        return { name: askableName(text), again: askableName(askableName(text) ?? '') }
      },
      check({ name, again }) {
        if (name === undefined) return
        must(name.length <= 253, 'too long a name')
        must(/^[a-z0-9_+=-]{1,63}(?:\.[a-z0-9_+=-]{1,63})*$/.test(name), `an odd name: ${JSON.stringify(name)}`)
        must(again === name, 'another name when read again')
      },
    },
    {
      name: 'smtp-received',
      words: TRACES,
      examples: [
        'from mx.example (mx.example [203.0.113.5]) by a.lan (Postfix) with ESMTP id 1; Sun, 1 Jan 2026 00:00:00 +0000',
        'from mx.example ([203.0.113.5] helo=[198.51.100.9]) by a.lan with esmtp (Exim)',
        'from unknown (HELO x) (203.0.113.5) by a.lan with SMTP',
      ],
      run: (bytes) => clientOf(bytes.toString('latin1')),
      check(address) {
        must(address === undefined || isIP(address) !== 0, `no address: ${address}`)
      },
    },
    {
      name: 'dns-list-reply',
      words: ['%IP%', '%TEXT%', '%SUBJECT%', '%', '\r\n', '\0', '\xff', 'text', ' ', '550 '],
      examples: ['%IP% is listed at %ZONE%: %TEXT%', 'listed\r\n250 OK'],
      run: (bytes) => {
        const text = bytes.toString('latin1')
        const facts = { subject: text, ip: '192.0.2.1', zone: 'bl.example', answer: '127.0.0.2', text }
        // Longer ones are no settings.
        return [replyText(text.slice(0, 200), facts), replyText('%SUBJECT% %TEXT%', facts)]
      },
      check(texts) {
        for (const text of texts) must(/^[ -~]{0,480}$/.test(text), `no line of a reply: ${JSON.stringify(text)}`)
      },
    },
  ]
}

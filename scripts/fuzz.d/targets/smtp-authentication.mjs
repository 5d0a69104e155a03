// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

const DOMAIN = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
const TAGS = [
  ...[';', '=', ' ', '\t', '\r\n ', ':', '"', '(', ')', '\\', '\0', '\xff', '\xc3\xa0', '@', '.', '-'],
  ...[
    'v=1',
    'a=rsa-sha256',
    'a=ed25519-sha256',
    'c=relaxed/simple',
    'd=b.example',
    's=s1',
    'h=from:subject',
    'bh=AAAA',
    'b=AAAA',
  ],
  ...[
    'i=@b.example',
    'l=5',
    't=1',
    'x=2',
    'q=dns/txt',
    'cv=none',
    'cv=pass',
    'i=1',
    'p=',
    'k=rsa',
    'v=DMARC1',
    'p=reject',
    'pct=5',
  ],
]
const ADDRESSES = [
  '<',
  '>',
  '@',
  '"',
  '(',
  ')',
  ',',
  ';',
  ':',
  '\\',
  ' ',
  '.',
  '[',
  ']',
  '\xc3\xbc',
  '\xff',
  'a',
  'b.example',
  '<a@b.example>',
]
const BODY = ['\r\n', '\r', '\n', ' ', '\t', 'a', '\xc3\xa0', '\r\n\r\n', 'text text', ' \r\n']
const SIGNATURE = 'v=1; a=rsa-sha256; c=relaxed/simple; d=b.example; s=s1; h=from:subject; bh=AAAA; b=AAAA'

/** What strangers say of who they are, in messages and in the DNS. */
export async function smtpAuthenticationTargets(load) {
  const from = (name) => load('protocols/smtp', `agents/authentication/${name}`)
  const { readSignature } = await from('signature')
  const { parseKey } = await from('signing-key')
  const { parseRecord } = await from('dmarc-record')
  const { authorOf } = await from('author')
  const { readResults } = await from('results-field')
  const { readChain } = await from('arc-chain')
  const { BodyHash } = await from('body-hash')
  const { parseHeader } = await load('protocols/smtp', 'message/header-fields')
  const text = (bytes) => bytes.toString('latin1')

  return [
    {
      name: 'dkim-signature',
      words: TAGS,
      examples: [SIGNATURE, `${SIGNATURE}; i=a@c.b.example; l=5; t=1; x=2; q=dns/txt`],
      run: async (bytes) => readSignature(text(bytes), 'dkim'),
      check({ kind, signature, named }) {
        const { domain, selector, agentDomain, fields } = signature ?? named
        for (const name of [domain, selector, agentDomain])
          must(name === undefined || DOMAIN.test(name), 'a name that is none')
        if (kind !== 'signature') return
        must(fields.includes('from'), 'From is not signed')
        must(agentDomain === domain || agentDomain.endsWith(`.${domain}`), 'somebody else’s user')
      },
    },
    {
      name: 'dkim-key',
      words: TAGS,
      examples: ['v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=', 'v=DKIM1; p='],
      run: async (bytes) => parseKey(text(bytes)).kind,
    },
    {
      name: 'dkim-body',
      streams: true,
      words: BODY,
      examples: [' C \r\nD \t E\r\n\r\n\r\n', 'a\r', '\r\n \r\n'],
      run: async (_bytes, pieces) =>
        ['simple', 'relaxed'].map((form) => {
          const hash = new BodyHash(form)
          for (const piece of pieces) hash.update(piece)
          return hash.finish()
        }),
    },
    {
      name: 'arc-chain',
      words: [...TAGS, 'ARC-Seal: ', 'ARC-Message-Signature: ', 'ARC-Authentication-Results: ', '\r\n'],
      examples: [
        `ARC-Seal: i=1; cv=none; ${SIGNATURE}\r\nARC-Message-Signature: i=1; ${SIGNATURE}\r\nARC-Authentication-Results: i=1; x; dmarc=pass\r\n`,
      ],
      run: async (bytes) => readChain(messageOf(parseHeader(bytes, 'plain'))),
      check({ kind, why, sets }) {
        if (kind === 'fault') must(/^[ -~]{1,100}$/.test(why), 'a reason that cannot stand in a comment')
        if (kind === 'chain')
          must(sets.length > 0 && sets.every(({ instance }, at) => instance === at + 1), 'a chain with gaps')
      },
    },
    {
      name: 'dmarc-record',
      words: TAGS,
      examples: ['v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; pct=5; psd=n; t=y'],
      run: async (bytes) => ({ record: parseRecord(text(bytes)) }),
      check: ({ record }) =>
        must(record === undefined || (record.percent >= 0 && record.percent <= 100), 'more than all'),
    },
    {
      name: 'message-author',
      words: ADDRESSES,
      examples: ['Alice <a@b.example>', '"x@y" <a@b.example>, c@d.example (e)', 'All: a@b.example;'],
      run: async (bytes) => authorOf(parseHeader(Buffer.from(`From: ${text(bytes)}\r\n`, 'latin1'), 'plain')),
      check: ({ kind, domains }) =>
        must(kind !== 'domains' || domains.every((name) => DOMAIN.test(name)), 'a domain that is none'),
    },
    {
      name: 'results-of-others',
      words: [...ADDRESSES, ';', '=', 'dmarc=pass', 'header.from=b.example', 'i=1;'],
      examples: ['i=1; mx.example; dmarc=pass (p=none) header.from=b.example; spf=fail reason="; dkim=pass"'],
      run: async (bytes) => readResults(text(bytes)).map(({ method, result }) => ({ method, result })),
      check: (results) =>
        must(
          results.every(({ method, result }) => /^[a-z0-9-]+=[a-z0-9-]+$/.test(`${method}=${result}`)),
          'a result that is none',
        ),
    },
  ]
}

/** A header section as the chain is read from it. */
function messageOf({ list }) {
  const fields = list.map((field) => ({ name: field.name, lines: '', text: () => field.text() }))
  return { fields, bodyAt: 0, named: (name) => fields.filter((field) => field.name === name) }
}

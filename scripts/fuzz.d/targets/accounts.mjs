// SPDX-License-Identifier: MIT
import { must } from '../engine.mjs'

/** A stored password decides what its check costs, and a site writes it: costs that nobody would write are not tried. */
const COSTLY = /\d{5,}|\$2[aby]\$(?:0[7-9]|[1-9]\d)\$|m=\d{4,}|[tp]=\d{2,}/

/** Users files, stored passwords, and what an auth-http service answers. */
export async function accountTargets(load) {
  const { parseUsersFile } = await load('packages/auth', 'sources/users-file-syntax')
  const { readStoredPassword, passwordSchemes } = await load('packages/auth', 'hash/index')
  const { createHashThreads } = await load('packages/auth', 'hash/hash-threads')
  const { HttpReplyReader } = await load('packages/net', 'http-reply')
  const { escapeAuthHttp, readVerdict } = await load('packages/auth', 'sources/auth-http-headers')
  const threads = createHashThreads()
  const schemes = passwordSchemes.map((name) => `{${name}}`)

  return [
    {
      name: 'users-file',
      words: [
        ...schemes,
        'alice',
        ':',
        '\n',
        '\r\n',
        '#',
        ' ',
        '{',
        '}',
        '::::::',
        'group=x',
        'nologin=y',
        'allow_nets=',
        '10.0.0.0/8',
        ',',
        'certificate=',
        'protocols=imap',
        'userdb_',
        '=',
        '\xff',
        '\0',
      ],
      examples: [
        'alice:{PLAIN}secret::::::group=mbx1 nologin=y\nbob:::::::group=mbx2 allow_nets=10.0.0.0/8,::1\n# x\n',
        `a:{SHA256-CRYPT}$5$x$${'a'.repeat(43)}:1:1::/h:\n`,
      ],
      async run(bytes) {
        const text = bytes.toString('utf8')
        return [parseUsersFile(text), parseUsersFile(text, 'PLAIN')]
      },
      check(parsed, bytes) {
        for (const result of parsed) {
          if (result.kind === 'broken') {
            must(
              result.line >= 1 && result.line <= bytes.toString('utf8').split('\n').length,
              'a line that is not there',
            )
          } else
            for (const [name, { user }] of result.users)
              must(name === user && user === user.toLowerCase(), 'a name of two forms')
        }
      },
    },
    {
      name: 'passwd-scheme',
      words: [
        ...schemes,
        '{CRAM-MD5.hex}',
        '.b64}',
        '.HEX}',
        '$',
        '$1$',
        '$5$',
        '$6$',
        '$2y$05$',
        '$argon2id$v=19$m=64,t=1,p=1$',
        'rounds=',
        '1000',
        ',',
        'ab',
        'AAAA',
        '=',
        '/',
        '+',
        ' ',
        '\0',
        '\xff',
      ].concat(['x'.repeat(22), 'x'.repeat(43), 'x'.repeat(53), 'x'.repeat(86), '0'.repeat(40)]),
      examples: [
        '{PLAIN}secret',
        '{SSHA256}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        '{SMD5.hex}543601e48e003077781060179d94756d50206206',
        '{PLAIN.b64}c2VjcmV0',
        `{MD5-CRYPT}$1$ab$${'x'.repeat(22)}`,
        `{PBKDF2}$1$ab$100$${'0'.repeat(40)}`,
        `{BLF-CRYPT}$2y$04$${'x'.repeat(53)}`,
        `{CRAM-MD5}${'0'.repeat(64)}`,
      ].concat([
        `{SCRAM-SHA-256}100,AAAA,${'A'.repeat(43)}=,${'A'.repeat(43)}=`,
        '{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
        `{SHA512-CRYPT}$6$rounds=1000$ab$${'x'.repeat(86)}`,
      ]),
      async run(bytes) {
        const text = bytes.toString('utf8')
        const read = readStoredPassword(text)
        if (typeof read === 'string') return read
        const made = ['CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'].map((kind) => read.secret(kind))
        if (COSTLY.test(text)) return read.scheme
        const secrets = await Promise.all(made.map((make) => make?.(Buffer.alloc(16), threads)))
        return [
          read.scheme,
          await read.verify('guess', threads),
          await read.verify('\0', threads),
          secrets.map((secret) => secret?.kind),
        ]
      },
      check(result, bytes) {
        if (typeof result !== 'string') return
        const stored = bytes.toString('utf8').replace(/^\{[^}]*\}/, '')
        // The label between the braces may be named.
        must(stored.length < 8 || !result.replace(/\{[^}]*\}/g, '').includes(stored), 'the reason shows the password')
      },
    },
    {
      name: 'auth-http-answer',
      streams: true,
      words: [
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.0 200\r\n',
        'HTTP/1.1 100\r\n',
        'Auth-Status: OK\r\n',
        'Auth-Server: 192.0.2.1\r\n',
        'Auth-Port: 143\r\n',
        'Auth-User: x\r\n',
        'Auth-Wait: 3\r\n',
        'Content-Length: ',
        '0',
        '5',
        '\r\n',
        '\n',
        '\r',
      ].concat([
        'Transfer-Encoding: chunked\r\n',
        '5\r\nhello\r\n',
        '0\r\n\r\n',
        'Connection: keep-alive\r\n',
        ':',
        ' ',
        '\0',
        '\xff',
        '__proto__: x\r\n',
      ]),
      examples: [
        'HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 192.0.2.1\r\nAuth-Port: 143\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 200 OK\r\nAuth-Status: Invalid\r\nAuth-Wait: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      ],
      async run(_bytes, pieces) {
        const reader = new HttpReplyReader(0)
        for (const [index, piece] of pieces.entries()) {
          reader.push(piece)
          if (reader.fault !== undefined) break
          // The connection at rest takes nothing more.
          if (reader.done && index < pieces.length - 1) return { fault: true }
          if (reader.done) break
        }
        const { head, done, fault, reusable } = reader
        if (fault !== undefined) return { fault: true }
        return { head, done, reusable, verdict: head === undefined ? undefined : readVerdict(head.headers) }
      },
    },
    {
      name: 'auth-http-escape',
      words: ['%', ' ', '\r', '\n', '\0', '\x7f', '\xc3\xa9', 'a', '%41', '\xff'],
      examples: ['alice', 'a%b c\r\nX: y'],
      run: async (bytes) => escapeAuthHttp(bytes.toString('utf8')),
      check(escaped, bytes) {
        must(!/[\x00-\x20\x7f]/.test(escaped), 'something passed that ends a field')
        const back = escaped.replace(/%([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
        must(Buffer.from(back, 'latin1').toString('utf8') === bytes.toString('utf8'), 'unescaped it is another name')
      },
    },
  ]
}

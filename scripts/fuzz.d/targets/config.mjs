// SPDX-License-Identifier: MIT
import { must, plain } from '../engine.mjs'

/** The configuration's language: YAML, its values, and the whole of it. */
export async function configTargets(load) {
  const { parseConfig } = await load('packages/config', 'source')
  const { ConfigError } = await load('packages/config', 'config-error')
  const { duration, size, formatDuration, formatSize } = await load('packages/config', 'language')
  const { validate } = await load('packages/config', 'validate')
  const { frontEndSchema } = await load('packages/frontend', 'schema')
  const { protocols } = await load('packages/cli', 'protocols')
  const { parseAddress, formatAddress } = await load('packages/base', 'endpoint')
  const { networksOf } = await load('packages/base', 'networks')
  const schema = frontEndSchema(protocols)

  return [
    {
      name: 'config-file',
      // It is read when its owner asks for it, and repeated keys are each compared with all others.
      longestMs: 5_000,
      words: [
        'version: 1\n',
        'listeners:\n',
        '  - ',
        '{',
        '}',
        '[',
        ']',
        ': ',
        ', ',
        '\n',
        '  ',
        '"',
        "'",
        '&a ',
        '*a',
        '<<: ',
        '!!binary ',
        '!x ',
        '|\n',
        '>\n',
        '# x\n',
        '---\n',
        '...\n',
        'limits:',
        'preAuth: ',
        '1m',
        '9'.repeat(20),
      ].concat([
        'protocol: imap4',
        'address: "127.0.0.1:0"',
        'tls: none',
        '? ',
        '~',
        '\t',
        '\xff',
        '\0',
        '__proto__: ',
        'constructor: ',
        '%YAML 1.2\n',
        '- ',
      ]),
      examples: [
        'version: 1\nlisteners:\n  - { protocol: imap4, address: "127.0.0.1:143", tls: none }\ncredentials: [{ type: deferred }]\nlocation: [{ type: hash, group: a }]\nbackends: { a: { imap4: { endpoints: ["127.0.0.1:1143"] } } }\n',
        'version: 1\nlimits: { preAuth: 30s, line: 8KiB }\nnetworks: { balancers: [10.0.0.0/8] }\n',
        'a: &a [x]\nb: [*a, *a]\n',
      ],
      async run(bytes) {
        const { value, source } = parseConfig(bytes.toString('utf8'), 'x.yaml')
        try {
          return validate(schema, value)
        } catch (error) {
          throw error instanceof ConfigError ? source.locate(error) : error
        }
      },
      throws: (error) =>
        error instanceof ConfigError &&
        error.problems.length > 0 &&
        error.problems.every(({ position }) => position.line >= 1),
    },
    {
      name: 'config-duration',
      words: ['1', '0', '9', 's', 'm', 'h', 'd', 'ms', '-', '.', ' ', 'e', '9007199254740993', '\n'],
      examples: ['30s', '5m', '250ms', '0s', '99999999999999999999d'],
      run: async (bytes) => duration().safeParse(bytes.toString('latin1')).data,
      check: (ms) => sameAgain(ms, formatDuration, duration()),
    },
    {
      name: 'config-size',
      words: ['1', '0', '9', 'B', 'KiB', 'MiB', 'GiB', 'K', '-', '.', ' ', '9007199254740993', '\n'],
      examples: ['64KiB', '35MiB', '0B', '99999999999999999999GiB'],
      run: async (bytes) => size().safeParse(bytes.toString('latin1')).data,
      check: (octets) => sameAgain(octets, formatSize, size()),
    },
    {
      name: 'config-address',
      words: [
        '127.0.0.1',
        '[',
        ']',
        '::1',
        ':',
        '143',
        '65536',
        'unix:',
        '/run/x',
        'mail.example',
        '%eth0',
        ' ',
        '0',
        '\n',
        '\xff',
      ],
      examples: ['127.0.0.1:143', '[::]:993', 'unix:/run/x', 'mail.example:25', '[fe80::1%eth0]:25'],
      run: async (bytes) => parseAddress(bytes.toString('utf8')),
      check(address) {
        if (address === undefined) return
        must(
          plain(parseAddress(formatAddress(address))) === plain(address),
          'written and read again it is another address',
        )
      },
    },
    {
      name: 'config-networks',
      words: [
        '10.0.0.0',
        '/',
        '8',
        '32',
        '33',
        '::',
        'fd00::',
        '/128',
        '/129',
        '.',
        ':',
        '%x',
        ' ',
        '-1',
        '\n',
        '::ffff:10.0.0.1',
      ],
      examples: ['10.0.0.0/8', 'fd00::/8', '::1', '::ffff:10.0.0.0/104', '0.0.0.0/0'],
      async run(bytes) {
        const networks = networksOf([bytes.toString('latin1')])
        return ['10.0.0.1', '::1', '::ffff:10.0.0.1', '192.0.2.1', 'fd00::9', '', 'x'].map((address) =>
          networks.contains(address),
        )
      },
      throws: (error) => error instanceof TypeError && /^not an address or CIDR block: /.test(error.message),
    },
  ]
}

/** A value that was read is a number that timers and buffers can take, and is written as what it was. */
function sameAgain(value, format, schema) {
  if (value === undefined) return
  must(Number.isSafeInteger(value), `${value} is no whole number`)
  must(schema.safeParse(format(value)).data === value, `${format(value)} is another value`)
}

// SPDX-License-Identifier: MIT
import { must, plain } from '../engine.mjs'

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const V4 = '\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x8f'

/** Headers of balancers. Longer input never changes what a shorter one meant. */
export async function proxyTargets(load) {
  const { parseProxyHeader } = await load('packages/net', 'proxy-header')
  const { formatProxyHeader } = await load('packages/net', 'proxy-format')
  return [
    {
      name: 'proxy-header',
      words: [
        'PROXY ',
        'TCP4 ',
        'TCP6 ',
        'UNKNOWN',
        '192.0.2.7 ',
        '2001:db8::7 ',
        '::ffff:192.0.2.7 ',
        '4711 ',
        '143',
        '\r\n',
        ' ',
        SIGNATURE,
        '!',
        ' ',
        '\x11',
        '\x21',
        '\x31',
        '\0',
        '\0\x0c',
        '\0\x0f',
        V4,
      ].concat([
        '\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3',
        '\x03\0\x04abcd',
        '\x02\0\x03abc',
        '\xff\xff',
        '\x01\0\x04imap',
      ]),
      examples: [
        'PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\na NOOP\r\n',
        'PROXY TCP6 2001:db8::7 2001:db8::1 4711 143\r\n',
        'PROXY UNKNOWN\r\n',
      ]
        .concat([
          `${SIGNATURE}!\x11\0\x0c${V4}`,
          `${SIGNATURE} \0\0\0`,
          `${SIGNATURE}!\x11\0\x1e${V4}\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3`,
        ])
        .concat([`${SIGNATURE}!\x21\0\x24${'\x20\x01'.repeat(18)}`, `${SIGNATURE}!\x31\0\xd8${'/a\0'.repeat(72)}`]),
      run: async (bytes) => parseProxyHeader(bytes),
      check(result, bytes) {
        sameForPrefixes(parseProxyHeader, bytes)
        if (result.kind === 'need-more') must(bytes.length < 2_048, 'there is no end to it')
        if (result.kind !== 'header') return
        must(result.length <= bytes.length && result.length <= 2_048, 'a header longer than what came')
        const { source, destination } = result
        if (source === undefined || destination === undefined) return
        must(!/[\x00-\x1f\x7f]/.test(source.address), 'a control character in an address')
        const again = parseProxyHeader(formatProxyHeader(2, source, destination))
        // Ends of two families are written as IPv6, which maps the other one and is read as IPv4 again.
        must(
          plain([again.source, again.destination]) === plain([source, destination]),
          'written and read again it is another',
        )
      },
    },
  ]
}

function sameForPrefixes(parse, bytes) {
  let settled
  for (let end = 0; end <= Math.min(bytes.length, 2_100); end += 1) {
    const result = plain(parse(bytes.subarray(0, end)))
    if (settled !== undefined) must(result === settled, `with ${end} octets it means something else`)
    else if (!result.includes('need-more')) settled = result
  }
}

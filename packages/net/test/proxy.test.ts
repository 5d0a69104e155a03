// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../src/crc32c.js'
import { formatLocalProxyHeader, formatProxyHeader, parseProxyHeader } from '../src/index.js'
import { forwardedTls } from '../src/tls-facts.js'

const port = fc.integer({ min: 0, max: 65_535 })
const v4 = fc.record({ address: fc.ipV4(), port, family: fc.constant(4 as const) })
const v6 = fc
  .array(fc.integer({ min: 0, max: 65_535 }), { minLength: 8, maxLength: 8 })
  .map((groups) => new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]/`).hostname.slice(1, -1))
  .chain((address) => fc.record({ address: fc.constant(address), port, family: fc.constant(6 as const) }))
const path = fc.stringMatching(/^\/[a-z]{1,90}$/)
const unix = fc.record({ address: path, port: fc.constant(0), family: fc.constant('unix' as const) })
const pair = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6), fc.tuple(v4, v6), fc.tuple(unix, unix))

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const ADDRESSES = Buffer.from('c0000201c633640204d20019', 'hex')

/** A version 2 header of TCP over IPv4 from 192.0.2.1:1234 to 198.51.100.2:25. */
function v2(tlvs: Buffer, options: { command?: number; family?: number; addresses?: Buffer } = {}): Buffer {
  const { command = 0x21, family = 0x11, addresses = ADDRESSES } = options
  const fixed = Buffer.from([command, family, 0, 0])
  fixed.writeUInt16BE(addresses.length + tlvs.length, 2)
  return Buffer.concat([Buffer.from(SIGNATURE, 'hex'), fixed, addresses, tlvs])
}

/** Both ends of a Unix socket, the first with this path. */
function unixBlock(from: string): Buffer {
  const block = Buffer.alloc(216)
  block.write(from)
  return block
}

function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  const head = Buffer.from([type, 0, 0])
  head.writeUInt16BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

describe('PROXY header', () => {
  test('parse undoes format, whatever follows, and no beginning of it is taken for the whole', () => {
    fc.assert(
      fc.property(
        pair,
        fc.constantFrom(1 as const, 2 as const),
        fc.uint8Array({ maxLength: 20 }),
        (ends, version, rest) => {
          const [source, destination]: readonly Endpoint[] = ends
          if (source === undefined || destination === undefined) return
          const header = formatProxyHeader(version, source, destination)
          const parsed = parseProxyHeader(Buffer.concat([header, rest]))
          expect(parsed).toMatchObject({ kind: 'header', length: header.length })
          if (version === 2 || source.family !== 'unix')
            expect(parsed).toMatchObject({ local: false, source, destination })
          for (let end = 0; end < header.length; end += 1) {
            expect(parseProxyHeader(header.subarray(0, end))).toEqual({ kind: 'need-more' })
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  test.each([
    ['2001:DB8::BAD', '2001:db8::bad', 6],
    ['2001:0db8:0:0:0:0:0:0bad', '2001:db8::bad', 6],
    ['::FFFF:c000:0201', '192.0.2.1', 4],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1', 4],
  ])('version 1 may spell an address as it likes: %s', (written, address, family) => {
    const header = Buffer.from(`PROXY TCP6 ${written} 2001:db8::1 4711 25\r\n`)
    expect(parseProxyHeader(header)).toMatchObject({ source: { address, port: 4711, family } })
  })

  test('any octets give an answer within the length cap', () => {
    const start = fc.constantFrom(Buffer.from('PROXY '), Buffer.from(SIGNATURE, 'hex'), Buffer.alloc(0))
    fc.assert(
      fc.property(start, fc.uint8Array({ minLength: 2100, maxLength: 2200 }), (head, bytes) => {
        expect(parseProxyHeader(Buffer.concat([head, bytes])).kind).not.toBe('need-more')
      }),
    )
  })

  test.each([
    ['TCP4', 'PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n', '192.0.2.1'],
    ['TCP6 that maps IPv4', 'PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1234 25\r\n', '192.0.2.1'],
  ])('version 1, %s', (_label, text, address) => {
    expect(parseProxyHeader(Buffer.from(`${text}EHLO x\r\n`))).toEqual({
      kind: 'header',
      length: text.length,
      local: false,
      source: { address, port: 1234, family: 4 },
      destination: { address: '198.51.100.2', port: 25, family: 4 },
    })
  })

  test.each([
    ['a command instead', 'EHLO x\r\n', 'no PROXY header'],
    ['a port out of range', 'PROXY TCP4 192.0.2.1 192.0.2.2 70000 25\r\n', 'version 1 address'],
    ['a port with a leading zero', 'PROXY TCP4 192.0.2.1 192.0.2.2 0123 25\r\n', 'version 1 address'],
    ['the wrong family', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n', 'version 1 address'],
    ['an unknown family', 'PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n', 'version 1 syntax'],
    ['two spaces', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 25\r\n', 'version 1 syntax'],
    ['no end', `PROXY UNKNOWN ${'x'.repeat(100)}`, 'version 1 header too long'],
  ])('version 1 with %s is bad', (_label, text, why) => {
    expect(parseProxyHeader(Buffer.from(text))).toEqual({ kind: 'bad', why })
  })

  test('UNKNOWN and LOCAL keep the addresses of the socket', () => {
    expect(parseProxyHeader(Buffer.from('PROXY UNKNOWN some thing\r\n'))).toEqual({
      kind: 'header',
      length: 26,
      local: true,
    })
    const local = v2(Buffer.alloc(0), { command: 0x20, family: 0, addresses: Buffer.alloc(0) })
    expect(parseProxyHeader(local)).toEqual({ kind: 'header', length: 16, local: true })
  })

  test('version 2 tells TLS, client certificate, authority and ALPN', () => {
    const ssl = Buffer.concat([Buffer.from([7, 0, 0, 0, 0]), tlv(0x21, 'TLSv1.3'), tlv(0x22, 'alice')])
    const header = v2(
      Buffer.concat([tlv(0x01, 'imap'), tlv(0x02, 'mail.example.com'), tlv(0x20, ssl), tlv(0xe0, 'own')]),
    )
    expect(parseProxyHeader(header)).toMatchObject({
      local: false,
      source: { address: '192.0.2.1', port: 1234, family: 4 },
      destination: { address: '198.51.100.2', port: 25, family: 4 },
      authority: 'mail.example.com',
      alpn: 'imap',
      tls: { version: 'TLSv1.3', clientVerified: true, cn: 'alice' },
    })
  })

  test('what is written about a client is read again: TLS, name, ALPN, and what the session is called', () => {
    const end: Endpoint = { address: '192.0.2.1', port: 1234, family: 4 }
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', alpn: 'imap', servername: 'mail.example.com' }
    const certificate = { authorized: true, raw: new Uint8Array() }
    for (const [clientCertificate, clientVerified] of [
      [undefined, false],
      [certificate, true],
      [{ ...certificate, authorized: false }, false],
    ] as const) {
      const header = formatProxyHeader(2, end, end, { tls: { ...tls, clientCertificate }, uniqueId: 's1' })
      expect(parseProxyHeader(header)).toMatchObject({
        length: header.length,
        source: end,
        authority: 'mail.example.com',
        alpn: 'imap',
        uniqueId: 's1',
        tls: { version: 'TLSv1.3', clientVerified },
      })
      // The cipher is there for others.
      expect(header.includes('TLS_AES_128_GCM_SHA256')).toBe(true)
    }
    expect(parseProxyHeader(formatProxyHeader(2, end, end, { uniqueId: 'x'.repeat(129) }))).not.toHaveProperty(
      'uniqueId',
    )
    expect(formatProxyHeader(1, end, end, { uniqueId: 's1' }).toString()).not.toContain('s1')
  })

  test.each([1, 2] as const)('a connection of our own keeps its addresses, version %i', (version) => {
    expect(parseProxyHeader(formatLocalProxyHeader(version))).toMatchObject({ kind: 'header', local: true })
  })

  test.each([
    ['no TLS', [0, 0, 0, 0, 0], undefined],
    ['TLS without certificate', [1, 0, 0, 0, 0], false],
    ['a certificate of this connection', [3, 0, 0, 0, 0], true],
    ['a certificate of the session that it resumes', [5, 0, 0, 0, 0], true],
    ['a certificate that failed', [3, 0, 0, 0, 1], false],
    ['a certificate that failed in the last octet but one', [7, 0, 0, 1, 0], false],
    ['a certificate without TLS', [6, 0, 0, 0, 0], undefined],
  ])('version 2 with an SSL TLV that says %s', (_label, fixed, clientVerified) => {
    const parsed = parseProxyHeader(v2(tlv(0x20, Buffer.from(fixed))))
    expect(parsed.kind === 'header' ? parsed.tls?.clientVerified : parsed).toBe(clientVerified)
  })

  test.each([
    ['no UTF-8', Buffer.from('616cff', 'hex')],
    ['a NUL', Buffer.from('alice\0')],
    ['a line break', Buffer.from('al\r\nice')],
    ['nothing', Buffer.alloc(0)],
  ])('a common name with %s is none', (_label, name) => {
    const parsed = parseProxyHeader(v2(tlv(0x20, Buffer.concat([Buffer.from([3, 0, 0, 0, 0]), tlv(0x22, name)]))))
    expect(parsed).toMatchObject({ kind: 'header', tls: { clientVerified: true } })
    expect(parsed.kind === 'header' ? parsed.tls : undefined).not.toHaveProperty('cn')
  })

  test.each([
    ['verified and named', { clientVerified: true, cn: 'alice' }, { authorized: true, commonName: 'alice' }],
    ['not verified', { clientVerified: false, cn: 'alice' }, undefined],
    ['without a name', { clientVerified: true }, undefined],
  ])('a client certificate that the balancer tells of counts when it is %s', (_label, told, certificate) => {
    expect(forwardedTls({ version: 'TLSv1.3', ...told }, undefined, undefined).clientCertificate).toEqual(certificate)
  })

  test('the checksum is checked', () => {
    const header = v2(tlv(0x03, Buffer.alloc(4)))
    header.writeUInt32BE(crc32c(header), header.length - 4)
    expect(parseProxyHeader(header).kind).toBe('header')
    header.writeUInt8(0xff, 20)
    expect(parseProxyHeader(header)).toEqual({ kind: 'bad', why: 'version 2 checksum' })
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  })

  test('a version 2 header may be as long as this, and a version 1 header as long as 107 octets', () => {
    expect(parseProxyHeader(v2(tlv(0xe0, Buffer.alloc(2_017)))).kind).toBe('header')
    const line = (length: number) => Buffer.from(`PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`)
    expect(parseProxyHeader(line(107))).toMatchObject({ kind: 'header', length: 107 })
    expect(parseProxyHeader(line(108))).toEqual({ kind: 'bad', why: 'version 1 header too long' })
  })

  test.each([
    ['UNSPEC', v2(Buffer.alloc(0), { family: 0x00, addresses: Buffer.alloc(0) })],
    ['UNSPEC over IPv4 addresses', v2(Buffer.alloc(0), { family: 0x10 })],
    ['LOCAL with addresses', v2(Buffer.alloc(0), { command: 0x20 })],
    ['LOCAL with TLVs that nobody can read', v2(Buffer.from([0x20, 0, 9, 1]), { command: 0x20 })],
  ])('version 2 with %s keeps the addresses of the socket', (_label, header) => {
    expect(parseProxyHeader(header)).toMatchObject({ kind: 'header', length: header.length, local: true })
  })

  test('version 2 over Unix sockets tells a path', () => {
    const header = v2(Buffer.alloc(0), { family: 0x31, addresses: unixBlock('/run/client') })
    expect(parseProxyHeader(header)).toMatchObject({
      local: false,
      source: { address: '/run/client', port: 0, family: 'unix' },
    })
  })

  test.each([
    ['a TLV that runs over the end', v2(Buffer.from([0x20, 0, 9, 1])), 'version 2 TLV'],
    ['an SSL TLV without its fixed part', v2(tlv(0x20, 'abc')), 'version 2 SSL TLV'],
    ['an unknown command', v2(Buffer.alloc(0), { command: 0x22 }), 'version 2 command'],
    ['an unknown family', v2(Buffer.alloc(0), { family: 0x41 }), 'version 2 family'],
    ['too few addresses', v2(Buffer.alloc(0), { addresses: Buffer.alloc(8) }), 'version 2 address'],
    ['too much of everything', v2(Buffer.alloc(2_021)), 'version 2 header too long'],
    ['a length below its own address block', v2(Buffer.alloc(0), { family: 0x21 }), 'version 2 address'],
    ['a TLV cut off in its length', v2(Buffer.from([0x20, 0])), 'version 2 TLV'],
    [
      'a TLV within the SSL TLV that runs over its end',
      v2(tlv(0x20, Buffer.from([1, 0, 0, 0, 0, 0x21, 0, 9]))),
      'version 2 SSL TLV',
    ],
    ['a checksum of the wrong size', v2(tlv(0x03, 'abc')), 'version 2 checksum'],
    ['a unique id that is too long', v2(tlv(0x05, Buffer.alloc(129))), 'version 2 unique id'],
    ['a line break in the name', v2(tlv(0x02, 'mail\r\nX: y')), 'version 2 control characters'],
    [
      'a line break in a path',
      v2(Buffer.alloc(0), { family: 0x31, addresses: unixBlock('/a\r\nX: y') }),
      'version 2 control characters',
    ],
  ])('version 2 with %s is bad', (_label, header, why) => {
    expect(parseProxyHeader(header)).toEqual({ kind: 'bad', why })
  })
})

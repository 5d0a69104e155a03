// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { cookieForClient } from '../src/backend/cookies.js'
import { parseRequestHead } from '../src/codec/head.js'
import { directoryTable } from '../src/directory/directories.js'
import { destinationForBackend, locationForClient, type View } from '../src/directory/mapping.js'
import { namedAddresses } from '../src/directory/named-addresses.js'
import { type Directory, directorySchema } from '../src/directory/schema.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }

function directory(mount: string, backend = '/', more: object = {}): Directory {
  return directorySchema.parse({ mount, backendPath: backend, ...more })
}

describe('addresses are mapped both ways', () => {
  const view: View = {
    directory: directory('/dav', '/SOGo'),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
    backendScheme: 'http',
  }
  const table = directoryTable([view.directory, directory('/other')])

  test.each([
    ['a path below', '/SOGo/x?y#z', '/dav/x?y#z'],
    ['the directory itself', '/SOGo', '/dav'],
    ['a path outside', '/SOGoX/x', '/SOGoX/x'],
    ['the backend by its own name', 'http://web1.internal:8080/SOGo/x?y#z', '/dav/x?y#z'],
    ['this server by the client’s name for it', 'http://mail.example.com/SOGo/x', '/dav/x'],
    ['this server by the client’s name for it, with its port', 'https://mail.example.com:443/SOGo', '/dav'],
    ['this server, without a scheme', '//mail.example.com/SOGo/x', '/dav/x'],
    ['the backend outside', 'http://web1.internal:8080/x', 'http://web1.internal:8080/x'],
    ['another server', 'https://elsewhere.example/SOGo/x', 'https://elsewhere.example/SOGo/x'],
    ['an authority without a scheme', '//elsewhere.example/SOGo', '//elsewhere.example/SOGo'],
    ['a relative reference', 'x/y', 'x/y'],
  ])('Location: %s', (_label, value, expected) => {
    expect(locationForClient(view, value)).toBe(expected)
  })

  test('Location: what looks like a host at the front of a path does not become one', () => {
    const whole = { ...view, directory: directory('/') }
    const value = 'https://mail.example.com//elsewhere.example/x'
    expect(locationForClient(whole, value)).toBe(value)
  })

  test.each([
    '/SOGo//elsewhere.example/x',
    '/SOGo/\\elsewhere.example/x',
    '/SOGo/\t/elsewhere.example/x',
    'http://web1.internal:8080/SOGo//elsewhere.example/x',
  ])('Location: nor does it once the backend’s own prefix is gone: %j', (value) => {
    const root = { ...view, directory: directory('/', '/SOGo') }
    expect(locationForClient(root, value)).toBe(value)
    expect(locationForClient(root, '/SOGo/x//y')).toBe('/x//y')
  })

  test.each([
    ['nothing to map', 'a=b; Secure; HttpOnly', 'a=b; Secure; HttpOnly'],
    ['a path below', 'a=b; Path=/SOGo/so/alice; Secure', 'a=b; Path=/dav/so/alice; Secure'],
    ['the directory itself, in any spelling', 'a=b;PATH = /SOGo/ ', 'a=b; Path=/dav/'],
    ['everything', 'a=b; Path=/', 'a=b; Path=/'],
    ['a path outside', 'a=b; path=/SOGoX', 'a=b; Path=/SOGoX'],
    ['the backend’s own domain', 'a=b; Domain=web1.internal; Secure', 'a=b; Secure'],
    ['the client’s domain', 'a=b; Domain=.example.com; Secure', 'a=b; Domain=.example.com; Secure'],
    ['the client’s host', 'a=b; domain=Mail.Example.Com', 'a=b; domain=Mail.Example.Com'],
    ['the end of the client’s host', 'a=b; Domain=ample.com', 'a=b'],
    ['a value that looks like an attribute', 'Path=/SOGo; Secure', 'Path=/SOGo; Secure'],
  ])('Set-Cookie: %s (RFC 6265 section 4.1)', (_label, value, expected) => {
    expect(cookieForClient(view, value)).toBe(expected)
  })

  const LOCK = '(<urn:uuid:1> ["a)b"])'

  test.each([
    ['a list without a resource', LOCK, LOCK],
    [
      'a resource of this directory',
      `<https://mail.example.com/dav/b> ${LOCK}`,
      `<https://mail.example.com/SOGo/b> ${LOCK}`,
    ],
    ['by its path, with several lists', `</dav/b>${LOCK}(Not <DAV:no-lock>)`, `</SOGo/b>${LOCK}(Not <DAV:no-lock>)`],
    ['two resources', `</dav/a> ${LOCK} </dav/b>\t${LOCK}`, `</SOGo/a> ${LOCK} </SOGo/b>\t${LOCK}`],
    ['what looks like a resource in a tag', '(["</dav/b>"] [W/"("])', '(["</dav/b>"] [W/"("])'],
    ['another server', `<https://elsewhere/dav/b> ${LOCK}`, 412],
    ['another directory', `</other/b> ${LOCK}`, 412],
    ['a trick', `</dav/../b> ${LOCK}`, 400],
    ['a list without an end', '(<urn:uuid:1>', 400],
    ['a list in a list', '((<urn:uuid:1>))', 400],
    ['a resource without an end', '</dav/b', 400],
    ['a token that does not end', '(<urn:uuid:1)', 400],
    ['what is neither', `x ${LOCK}`, 400],
    ['two fields', `${LOCK}\r\nIf: ${LOCK}`, 400],
  ])('If: %s (RFC 4918 section 10.4)', (_label, value, expected) => {
    const head = parseRequestHead(Buffer.from(`PUT / HTTP/1.1\r\nHost: x\r\nIf: ${value}\r\n\r\n`), LIMITS)
    if (head.kind === 'bad') throw new Error(head.why)
    const told = namedAddresses(view, table, head.fields)
    expect(told).toEqual(
      typeof expected === 'number'
        ? { kind: 'refused', status: expected }
        : { kind: 'lines', text: `If: ${expected}\r\n` },
    )
  })

  test.each([
    ['absolute', 'https://mail.example.com/dav/b', { kind: 'mapped', value: 'https://mail.example.com/SOGo/b' }],
    ['a path', '/dav/b', { kind: 'mapped', value: '/SOGo/b' }],
    ['another server (RFC 4918 section 9.8.5)', 'https://elsewhere/dav/b', { kind: 'elsewhere' }],
    ['another directory', '/other/b', { kind: 'elsewhere' }],
    ['outside', '/b', { kind: 'elsewhere' }],
    ['a trick', '/dav/../b', { kind: 'bad' }],
    ['what could be meant for another directory', '/dav;x/b', { kind: 'bad' }],
    ['an escaped slash', '/dav/b%2Fc', { kind: 'bad' }],
    ['nonsense', 'b', { kind: 'bad' }],
  ])('Destination: %s', (_label, value, expected) => {
    expect(destinationForBackend(view, table, value)).toEqual(expected)
  })

  test.each(['https://mail.example.com/dav/b', '/dav/b'])(
    'Destination %s for a backend that is called by its own name is a whole address of its own',
    (value) => {
      const own = { ...view, directory: directory('/dav', '/SOGo', { host: 'backend' }) }
      expect(destinationForBackend(own, directoryTable([own.directory]), value)).toEqual({
        kind: 'mapped',
        value: 'http://web1.internal:8080/SOGo/b',
      })
    },
  )
})

describe('a backend that is told the mount sees addresses as the client does', () => {
  const view: View = {
    directory: directory('/dav', '/', { prefixField: 'X-Script-Name' }),
    base: '',
    clientAuthority: 'mail.example.com',
    clientScheme: 'https',
    backendAuthority: 'web1.internal:8080',
    backendScheme: 'http',
  }

  test.each([
    ['/dav/x', '/dav/x'],
    ['http://mail.example.com/dav/x', '/dav/x'],
  ])('Location %s is %s', (value, expected) => {
    expect(locationForClient(view, value)).toBe(expected)
  })

  test('the path of a cookie stays', () => {
    expect(cookieForClient(view, 'a=b; Path=/dav/x')).toBe('a=b; Path=/dav/x')
  })

  test('Destination stays, and is checked all the same', () => {
    const table = directoryTable([view.directory])
    expect(destinationForBackend(view, table, '/dav/%62')).toEqual({ kind: 'mapped', value: '/dav/b' })
    expect(destinationForBackend(view, table, '/b')).toEqual({ kind: 'elsewhere' })
  })
})

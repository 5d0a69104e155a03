// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import {
  backendPath,
  clientPath,
  directoryTable,
  healthAskedBy,
  placeOf,
  wellKnownPlace,
} from '../src/directory/directories.js'
import { type Directory, directorySchema, schemesOf } from '../src/directory/schema.js'
import { normalisePath } from '../src/directory/target.js'
import { httpSchema } from '../src/schema.js'

function directory(mount: string, backend = '/', more: object = {}): Directory {
  return directorySchema.parse({ mount, backendPath: backend, ...more })
}

describe('virtual directories', () => {
  const table = directoryTable([directory('/'), directory('/dav'), directory('/dav/shared'), directory('/Owa')])

  test.each([
    ['/', '/', '/'],
    ['/x', '/', '/x'],
    ['/dav', '/dav', ''],
    ['/dav/', '/dav', '/'],
    ['/DAV/x', '/dav', '/x'],
    ['/davx', '/', '/davx'],
    ['/dav/shared/a', '/dav/shared', '/a'],
    ['/dav/sharedx', '/dav', '/sharedx'],
    ['/owa/a', '/Owa', '/a'],
  ])('%s belongs to %s', (path, mount, rest) => {
    const placed = placeOf(table, path)
    if (placed.kind !== 'placed') throw new Error(placed.kind)
    expect([placed.directory.mount, placed.rest]).toEqual([mount, rest])
  })

  test('what no directory holds has no place', () => {
    expect(placeOf(directoryTable([directory('/dav')]), '/other')).toEqual({ kind: 'none' })
  })

  test.each([
    ['a parameter of the mount', '/owa;x/a'],
    ['a parameter of the mount, escaped', '/owa%3Bx/a'],
    ['a parameter without a name', '/dav;/a'],
    ['a parameter at the end', '/dav;x'],
    ['a parameter before the mount', '/;x/dav/a'],
    ['an escaped slash before the mount', '/%2Fdav/a'],
    ['an escaped slash behind the mount', '/dav%2Fa'],
    ['an escaped slash behind the mount and a parameter', '/dav;x%2Fa'],
    ['a parameter within the mount', '/dav;x/shared/a'],
    ['an escaped slash in the mount', '/dav%2Fshared/a'],
    ['a space behind the mount', '/dav%20/a'],
    ['a dot behind the mount', '/dav./a'],
    ['spaces and dots behind the mount', '/dav%20.%20./a'],
    ['an escaped query behind the mount', '/dav%3Fa'],
    ['an escaped fragment behind the mount', '/dav%23/a'],
    ['the name of a stream of the mount', '/dav::$INDEX_ALLOCATION/a'],
    ['the name of an index of the mount', '/dav:$i30:$INDEX_ALLOCATION/a'],
  ])('what a lenient server could take for another directory is doubtful: %s', (_label, path) => {
    const open = directoryTable([
      directory('/', '/', { encodedSlash: 'pass' }),
      directory('/dav', '/', { encodedSlash: 'pass' }),
      directory('/dav/shared'),
      directory('/Owa'),
    ])
    expect(normalisePath(path)).toBe(path)
    expect(placeOf(open, path)).toEqual({ kind: 'doubtful' })
  })

  test.each(['/dav/a;b=c', '/dav/a;b/', '/dav/100%25', '/dav/a%20', '/dav/a./b', '/x;y/z', '/dav/a%40b'])(
    '%s is not',
    (path) => {
      expect(placeOf(table, path).kind).toBe('placed')
    },
  )

  test('an escaped slash passes as it is, where the directory says so and nowhere else', () => {
    const both = directoryTable([directory('/dav', '/', { encodedSlash: 'pass' }), directory('/web')])
    expect(placeOf(both, '/dav/a%2Fb')).toMatchObject({ kind: 'placed', rest: '/a%2Fb' })
    expect(placeOf(both, '/web/a%2Fb')).toEqual({ kind: 'doubtful' })
  })

  test.each([
    ['/dav', '/', '', '/x', '/x'],
    ['/dav', '/', '', '', '/'],
    ['/dav', '/SOGo/dav', '', '/x', '/SOGo/dav/x'],
    ['/', '/', '', '/x', '/x'],
    ['/dav', '/', '/base', '/x', '/base/x'],
    ['/dav', '/', '/base', '', '/base'],
  ])('mount %s, backend path %s at %j: %j becomes %s and back', (mount, backend, base, rest, path) => {
    const entry = directory(mount, backend)
    expect(backendPath(entry, base, rest)).toBe(path)
    const back = clientPath(entry, base, path)
    expect(back).toBe(rest === '' && path === '/' ? `${mount}/` : `${mount === '/' ? '' : mount}${rest}`)
  })

  test.each([
    ['/healthcheck.htm', '/'],
    ['/HealthCheck.HTM', '/'],
    ['/owa/healthcheck.htm', '/Owa'],
    ['/dav/shared/healthcheck.htm', '/dav/shared'],
    ['/other/healthcheck.htm', undefined],
    ['/healthcheck.html', undefined],
    ['/', undefined],
  ])('%s asks for the health of %s', (path, expected) => {
    const asked = healthAskedBy(table, path)
    expect(asked === undefined || asked === 'everything' ? asked : asked.mount).toBe(expected)
  })

  test('where no directory is the root, its page is for everything', () => {
    expect(healthAskedBy(directoryTable([directory('/dav')]), '/healthcheck.htm')).toBe('everything')
  })

  test('mounts that differ in case only are refused, and mounts that are no plain path', () => {
    expect(httpSchema.safeParse({ directories: [{ mount: '/a' }, { mount: '/A/' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a/../b' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a%20b' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a;b' }] }).success).toBe(false)
    expect(httpSchema.safeParse({ directories: [{ mount: '/a', auth: [] }] }).success).toBe(false)
  })

  test('without a block everything is one directory', () => {
    expect(httpSchema.parse(undefined).directories).toEqual([directory('/')])
  })
})

describe('presets', () => {
  test.each([
    ['owa', '/owa', '/owa', 10, 100],
    ['ews', '/EWS', '/EWS', 35, 100],
    ['activesync', '/Microsoft-Server-ActiveSync', '/Microsoft-Server-ActiveSync', 60, 100],
    ['rpc', '/rpc', '/rpc', 60, 2048],
    ['caldav', '/caldav', '/caldav', 10, 100],
  ])('%s', (preset, mount, backend, minutes, mebibytes) => {
    expect(directorySchema.parse({ preset })).toMatchObject({
      mount,
      backendPath: backend,
      component: preset,
      responseTimeout: minutes * 60_000,
      maxBody: mebibytes * 1024 ** 2,
    })
  })

  test('the path is the same on both sides', () => {
    expect(directorySchema.parse({ preset: 'owa', mount: '/SOGo' }).backendPath).toBe('/SOGo')
    expect(directorySchema.parse({ mount: '/SOGo' }).backendPath).toBe('/')
  })

  test('what a site writes itself counts', () => {
    const written = { preset: 'owa', mount: '/mail', backendPath: '/SOGo', component: 'web', auth: ['basic'] }
    const more = { responseTimeout: '5m', maxBody: '1MiB' }
    const parsed = directorySchema.parse({ ...written, ...more })
    expect(parsed).toMatchObject({ ...written, responseTimeout: 300_000, maxBody: 1024 ** 2 })
    expect(schemesOf(parsed, [])).toEqual(['basic'])
  })

  test('a directory without a preset needs a mount', () => {
    const { error } = directorySchema.safeParse({ group: 'web' })
    expect(error?.issues).toMatchObject([{ path: ['mount'], message: 'expected a mount, or a preset that has one' }])
  })
})

describe('schemes', () => {
  const owa = directory('/owa', '/', {
    preset: 'owa',
    authFor: [
      { networks: ['office', 'branch'], auth: ['negotiate', 'basic'] },
      { networks: ['partners'], auth: ['basic'] },
    ],
  })

  test.each([
    [
      ['partners', 'branch'],
      ['negotiate', 'basic'],
    ],
    [['partners'], ['basic']],
    [['elsewhere'], ['forms', 'basic']],
    [[], ['forms', 'basic']],
  ])('for clients of %j: %j', (networks, expected) => {
    expect(schemesOf(owa, networks)).toEqual(expected)
  })

  test('without preset and keys: Basic', () => {
    expect(schemesOf(directory('/'), [])).toEqual(['basic'])
  })
})

describe('names under /.well-known/ (RFC 6764 section 5)', () => {
  test.each([
    ['/.well-known/caldav', '/cal/'],
    ['/.well-known/caldav/', '/cal/'],
    ['/.Well-Known/CalDAV', '/cal/'],
    ['/.well-known/carddav', '/card/'],
    ['/.well-known/jmap', undefined],
    ['/.well-known/caldav/x', undefined],
  ])('%s leads to %s', (path, expected) => {
    const table = directoryTable([
      directory('/'),
      directory('/cal', '/', { preset: 'caldav' }),
      directory('/card', '/', { wellKnown: ['carddav'] }),
      directory('/other', '/', { wellKnown: ['caldav'] }),
    ])
    expect(wellKnownPlace(table, path)).toBe(expected)
  })

  test('a directory that is mounted there is asked itself', () => {
    const table = directoryTable([directory('/.well-known'), directory('/cal', '/', { preset: 'caldav' })])
    expect(wellKnownPlace(table, '/.well-known/caldav')).toBeUndefined()
  })
})

// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { directoryTable, placeOf } from '../src/directory/directories.js'
import { directorySchema } from '../src/directory/schema.js'
import { normalisePath } from '../src/directory/target.js'

const MOUNTS = ['/', '/owa', '/owa/auth', '/dav']
const table = directoryTable(MOUNTS.map((mount) => directorySchema.parse({ mount, encodedSlash: 'pass' })))

/** What some server or other does with a path before it looks for a file. */
type Reading = (path: string) => string

const decoded: Reading = (path) =>
  path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
const ended: Reading = (path) => path.split(/[?#]/)[0] ?? ''
const segments =
  (change: (segment: string) => string): Reading =>
  (path) =>
    path.split('/').map(change).join('/')
const withoutParameters = segments((segment) => segment.split(';')[0] ?? '')
const withoutStreams = segments((segment) => segment.split(/::?\$/)[0] ?? '')
const trimmed = segments((segment) => segment.replace(/[ .]+$/, (tail) => (segment === tail ? segment.trimEnd() : '')))
const collapsed: Reading = (path) => path.replace(/\/+/g, '/')
const forward: Reading = (path) => path.replaceAll('\\', '/')
const resolved: Reading = (path) => {
  const out: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') out.pop()
    else if (segment !== '.') out.push(segment)
  }
  return `/${out.join('/')}`
}

/** In the order in which one server might do them, each of them or not. */
const STEPS = [
  ...[withoutParameters, withoutStreams, decoded, decoded, forward, ended, withoutParameters, withoutStreams],
  ...[trimmed, collapsed, resolved],
]
const readings = fc
  .subarray([...STEPS.keys()])
  .map((chosen) => (path: string) => chosen.reduce((text, index) => STEPS[index]?.(text) ?? text, path))

/** The mount to which a path belongs, told in the simplest way. */
function mountOf(path: string): string {
  const lower = path.toLowerCase()
  const below = MOUNTS.filter((mount) => mount === '/' || lower === mount || lower.startsWith(`${mount}/`))
  return below.reduce((longest, mount) => (mount.length > longest.length ? mount : longest), '/')
}

const pieces = fc.constantFrom(
  ...'/ / / owa OWA auth dav x . .. ..%20 ; ;x=1 %2f %2F %5c \\ %2e %2E %3b %3F # : :$DATA ::$I %20 %25 %252e %00 %c0%af %e0%80%af a1'.split(
    ' ',
  ),
  '%6f',
  '%77',
  '%61',
)
const paths = fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => `/${parts.join('')}`)

test('a path in normal form is its own normal form', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const normal = normalisePath(path)
      if (normal !== undefined) expect(normalisePath(normal)).toBe(normal)
    }),
    { numRuns: 5_000 },
  )
})

test('no server reads what is forwarded as the path of another directory', () => {
  fc.assert(
    fc.property(paths, readings, (path, reading) => {
      const normal = normalisePath(path)
      if (normal === undefined) return
      const placed = placeOf(table, normal)
      if (placed.kind !== 'placed') return
      expect(mountOf(reading(normal))).toBe(placed.directory.mount)
    }),
    { numRuns: 20_000 },
  )
})

test.each([
  // A stream's name with a question mark in it, which only ends the path for some.
  '/::$I%3F/owa',
  // What is cut off in its escaped form takes the slashes in it along.
  '/;x=1%2F%2Fw/OWA',
  '/;%3F/owa',
])('%s may be read as the path of another directory', (path) => {
  expect(normalisePath(path)).toBe(path)
  expect(placeOf(table, path)).toEqual({ kind: 'doubtful' })
})

test('and none is led out of its directory', () => {
  fc.assert(
    fc.property(paths, readings, (path, reading) => {
      const normal = normalisePath(path)
      if (normal !== undefined) expect(reading(normal).split('/')).not.toContain('..')
    }),
    { numRuns: 20_000 },
  )
})

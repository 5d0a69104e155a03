// SPDX-License-Identifier: MIT
import type { Directory } from './schema.js'
import { looselyRead } from './target.js'

/** A directory together with what lookups need. Longest mounts first. */
export interface DirectoryTable {
  readonly entries: readonly { readonly lower: string; readonly directory: Directory }[]
  /** Where the names under `/.well-known/` lead, by their path in lower case. */
  readonly wellKnown: ReadonlyMap<string, string>
}

/** Prepares the configured directories for lookups. */
export function directoryTable(directories: readonly Directory[]): DirectoryTable {
  const entries = directories.map((directory) => ({ lower: withoutSlash(directory.mount.toLowerCase()), directory }))
  const wellKnown = new Map<string, string>()
  for (const { mount, wellKnown: names } of directories) {
    for (const name of names) {
      const path = `/.well-known/${name}`
      const taken = wellKnown.has(path) || entries.some(({ lower }) => lower !== '' && isBelow(path, lower))
      if (!taken) wellKnown.set(path, `${withoutSlash(mount)}/`)
    }
  }
  return { entries: entries.sort((one, other) => other.lower.length - one.lower.length), wellKnown }
}

/** A path's directory and what lies below its mount: empty, or beginning with a slash. */
export interface Placed {
  readonly kind: 'placed'
  readonly directory: Directory
  readonly rest: string
}

const NONE = { kind: 'none' } as const
const DOUBTFUL = { kind: 'doubtful' } as const

/**
 * The directory with the longest mount that is a prefix of the path on a segment boundary; mounts match in any case. A path that
 * a lenient server could understand as one of another directory is `doubtful`, and so is one with an escaped slash where the
 * directory does not want them.
 */
export function placeOf(table: DirectoryTable, path: string): Placed | typeof NONE | typeof DOUBTFUL {
  const entry = entryOf(table, path.toLowerCase())
  const isElsewhere = (loose: string): boolean => entryOf(table, loose.toLowerCase()) !== entry
  if (looselyRead(path).some(isElsewhere)) return DOUBTFUL
  if (entry === undefined) return NONE
  const { directory, lower } = entry
  if (directory.encodedSlash === 'refuse' && path.includes('%2F')) return DOUBTFUL
  return { kind: 'placed', directory, rest: path.slice(lower.length) }
}

function entryOf({ entries }: DirectoryTable, lower: string): DirectoryTable['entries'][number] | undefined {
  for (const entry of entries) if (isBelow(lower, entry.lower)) return entry
  return undefined
}

/** The path that the backend is asked for: only the mount is replaced. `base` is the path of the backend's endpoint. */
export function backendPath(directory: Directory, base: string, rest: string): string {
  const path = prefixAt(directory, base) + rest
  return path === '' ? '/' : path
}

/** The path under which the client reaches what a backend calls `path`; `undefined` when it lies outside the directory. */
export function clientPath(directory: Directory, base: string, path: string): string | undefined {
  const prefix = prefixAt(directory, base)
  if (!isBelow(path, prefix)) return undefined
  const mapped = withoutSlash(directory.mount) + path.slice(prefix.length)
  return mapped === '' ? '/' : mapped
}

function prefixAt(directory: Directory, base: string): string {
  return base + withoutSlash(directory.backendPath)
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

const HEALTH_PAGE = '/healthcheck.htm'

/**
 * Whose health a path asks for, if it asks for the page that balancers read: of one directory under its mount, of everything at a
 * root that is none, in any case.
 */
export function healthAskedBy(table: DirectoryTable, path: string): Directory | 'everything' | undefined {
  if (path.length < HEALTH_PAGE.length) return undefined
  const lower = path.toLowerCase()
  if (!lower.endsWith(HEALTH_PAGE)) return undefined
  const place = lower.slice(0, -HEALTH_PAGE.length)
  return table.entries.find((entry) => entry.lower === place)?.directory ?? (place === '' ? 'everything' : undefined)
}

/** Where a client that asks at `/.well-known/` is led. */
export function wellKnownPlace({ wellKnown }: DirectoryTable, path: string): string | undefined {
  return path.startsWith('/.') ? wellKnown.get(withoutSlash(path).toLowerCase()) : undefined
}

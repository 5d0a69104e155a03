// SPDX-License-Identifier: MIT
import type { Directory } from './schema.js'

/** A directory together with what lookups need. Longest mounts first. */
export interface DirectoryTable {
  readonly entries: readonly { readonly lower: string; readonly directory: Directory }[]
}

/** Prepares the configured directories for lookups. */
export function directoryTable(directories: readonly Directory[]): DirectoryTable {
  const entries = directories.map((directory) => ({ lower: withoutSlash(directory.mount.toLowerCase()), directory }))
  return { entries: entries.sort((one, other) => other.lower.length - one.lower.length) }
}

/** A path's directory and what lies below its mount: empty, or beginning with a slash. */
export interface Placed {
  readonly directory: Directory
  readonly rest: string
}

/** The directory with the longest mount that is a prefix of the path on a segment boundary; mounts match in any case. */
export function placeOf(table: DirectoryTable, path: string): Placed | undefined {
  const lower = path.toLowerCase()
  for (const { lower: mount, directory } of table.entries) {
    if (isBelow(lower, mount)) return { directory, rest: path.slice(mount.length) }
  }
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

/** Whether a path asks for the page that balancers read: `/healthcheck.htm` at the root or under a mount, in any case. */
export function isHealthCheck(table: DirectoryTable, path: string): boolean {
  const lower = path.toLowerCase()
  if (!lower.endsWith('/healthcheck.htm')) return false
  const place = lower.slice(0, -'/healthcheck.htm'.length)
  return place === '' || table.entries.some((entry) => entry.lower === place)
}

// SPDX-License-Identifier: MIT
import { backendPath, clientPath, type DirectoryTable, placeOf } from './directories.js'
import type { Directory } from './schema.js'
import { readTarget } from './target.js'

/**
 * Both views of one directory at one backend. A backend that is told the mount (by `prefixField`) writes and reads addresses as
 * the client sees them, so their paths are left alone.
 */
export interface View {
  readonly directory: Directory
  /** Path of the backend's endpoint, without a trailing slash. */
  readonly base: string
  /** What the client calls this server: its Host. */
  readonly clientAuthority: string | undefined
  readonly clientScheme: 'http' | 'https'
  /** What the backend may call itself. */
  readonly backendAuthority: string
  readonly backendScheme: 'http' | 'https'
}

const ABSOLUTE = /^(?:https?:)?\/\/([^/?#]*)([^?#]*)(.*)$/is

/**
 * A Location of a backend as the client is to see it: a path below the mount (RFC 9110 section 10.2.2), whatever name of this
 * server or of its own the backend wrote. No host is named, for the client may have written any into its Host. What points
 * elsewhere, or outside the directory, is left as it is.
 */
export function locationForClient(view: View, value: string): string {
  if (value.startsWith('/') && !value.startsWith('//')) {
    const end = value.search(/[?#]/)
    const path = end < 0 ? value : value.slice(0, end)
    const mapped = pathForClient(view, path)
    return mapped === undefined ? value : mapped + (end < 0 ? '' : value.slice(end))
  }
  const absolute = ABSOLUTE.exec(value)
  if (absolute === null) return value
  const [, authority = '', path = '', rest = ''] = absolute
  if (!isOneOf(authority, view)) return value
  const mapped = pathForClient(view, path === '' ? '/' : path)
  return mapped === undefined ? value : mapped + rest
}

/** Two slashes in front name a host; browsers take a backslash for one, and skip tabs (WHATWG URL standard). */
const NAMES_HOST = /^\/\t*[/\\]/

/** `undefined` also for what would name a host once the backend's own prefix is gone. */
function pathForClient({ directory, base }: View, path: string): string | undefined {
  const mapped = directory.prefixField === undefined ? clientPath(directory, base, path) : path
  return mapped === undefined || NAMES_HOST.test(mapped) ? undefined : mapped
}

function isOneOf(authority: string, { clientAuthority, backendAuthority }: View): boolean {
  const name = withoutPort(authority)
  return (
    name === withoutPort(backendAuthority) || (clientAuthority !== undefined && name === withoutPort(clientAuthority))
  )
}

/** An authority in lower case, without a port that goes without saying. */
function withoutPort(authority: string): string {
  return authority.toLowerCase().replace(/:(?:80|443)$/, '')
}

/** A Destination (RFC 4918 section 10.3) as the backend is to see it. */
export type MappedDestination =
  | { readonly kind: 'mapped'; readonly value: string }
  /** On another server, or in another directory (RFC 4918 section 9.8.5: 502). */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'bad' }

/**
 * Maps a Destination with the same rules as the request's own target, and to the same directory only. With `host: pass` it keeps
 * the client's scheme and host, as the backend knows them; else it gets the backend's own, for some refuse one without or with others.
 */
export function destinationForBackend(view: View, table: DirectoryTable, value: string): MappedDestination {
  const target = readTarget(value)
  if (target.kind !== 'path') return { kind: 'bad' }
  const { authority } = target
  if (authority !== undefined && authority.toLowerCase() !== view.clientAuthority?.toLowerCase()) {
    return { kind: 'elsewhere' }
  }
  const placed = placeOf(table, target.path)
  if (placed.kind === 'doubtful') return { kind: 'bad' }
  if (placed.kind === 'none' || placed.directory !== view.directory) return { kind: 'elsewhere' }
  const { directory, base } = view
  const mapped = directory.prefixField === undefined ? backendPath(directory, base, placed.rest) : target.path
  const path = mapped + target.query
  if (directory.host === 'backend') {
    return { kind: 'mapped', value: `${view.backendScheme}://${view.backendAuthority}${path}` }
  }
  if (authority === undefined) return { kind: 'mapped', value: path }
  return { kind: 'mapped', value: `${value.slice(0, value.indexOf(':')).toLowerCase()}://${authority}${path}` }
}

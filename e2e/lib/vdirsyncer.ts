// SPDX-License-Identifier: MIT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'
import { succeed } from './clients.js'

export interface FarStorage {
  readonly type: 'caldav' | 'carddav'
  readonly url: string
  readonly user: string
  readonly password: string
  /** Certificate authority, PEM. */
  readonly ca: string
}

/** A folder here kept the same as everything that a user has at a server, by vdirsyncer. */
export interface Synchronised {
  /** Makes each collection of the server known here. */
  discover(): Promise<void>
  sync(): Promise<void>
  /** The items here of one collection, by file name. */
  items(collection: string): Readonly<Record<string, string>>
  put(collection: string, name: string, item: string): void
}

export function synchronised({ type, url, user, password, ca }: FarStorage): Synchronised {
  const folder = privateFolder('vds')
  const [near, config] = [join(folder, 'near'), join(folder, 'config')]
  mkdirSync(near)
  writeFileSync(
    config,
    `[general]
status_path = "${folder}/status"
[pair p]
a = "near"
b = "far"
collections = ["from b"]
[storage near]
type = "filesystem"
path = "${near}"
fileext = "${type === 'caldav' ? '.ics' : '.vcf'}"
[storage far]
type = "${type}"
url = "${url}"
username = "${user}"
password = "${password}"
verify = "${ca}"
`,
    { mode: 0o600 },
  )
  const vdirsyncer = async (verb: string): Promise<void> => {
    await succeed('vdirsyncer', ['-c', config, verb], { input: 'y\n'.repeat(20) })
  }
  return {
    discover: () => vdirsyncer('discover'),
    sync: () => vdirsyncer('sync'),
    items(collection) {
      const place = join(near, collection)
      return Object.fromEntries(readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]))
    },
    put: (collection, name, item) => writeFileSync(join(near, collection, name), item),
  }
}

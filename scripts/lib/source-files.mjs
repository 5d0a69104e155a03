// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', '.cache', '.git', 'coverage'])

/** All files below a folder, as paths that begin with it; none when it does not exist. */
export function filesBelow(folder) {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
  return entries
    .filter((entry) => !SKIPPED.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
}

/** The packages of a workspace: name without scope, kind of place, folder. */
export function workspacePackages(root) {
  return ['packages', 'protocols'].flatMap((place) => {
    let names = []
    try {
      names = readdirSync(join(root, place), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    } catch {
      // A workspace may lack one of the two.
    }
    return names.map(({ name }) => ({ name, place, folder: join(root, place, name) }))
  })
}

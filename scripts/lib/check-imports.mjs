// SPDX-License-Identifier: MIT
// Keeps the direction of imports: `check-imports [root]`. Prints what is wrong and ends with 1.
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { circles, HELPERS, judgeImports, judgeThirdParty, thirdParty } from './import-rules.mjs'
import { readImports } from './read-imports.mjs'
import { filesBelow, workspacePackages } from './source-files.mjs'

const root = resolve(
  process.argv[2] ?? join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '../..'),
)
const workspace = workspacePackages(root)
const packages = new Map(workspace.map(({ name, place }) => [name, place]))
const complaints = []
const uses = []
const packageGraph = new Map()
const fileGraph = new Map()
let count = 0

for (const owner of workspace) {
  const imported = new Set()
  for (const file of filesBelow(owner.folder).filter((name) => /\.[jt]s$/.test(name))) {
    count++
    const path = relative(root, file)
    const imports = readImports(readFileSync(file, 'utf8'))
    complaints.push(...judgeImports({ root, path, owner, imports, packages }))
    if (!file.startsWith(join(owner.folder, 'src/'))) continue
    for (const { specifier } of imports) {
      const foreign = thirdParty(specifier)
      if (foreign !== undefined && !HELPERS.has(owner.name)) uses.push([foreign, path])
      if (specifier.startsWith('@portico/')) imported.add(specifier.slice('@portico/'.length))
    }
    const live = imports.filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    fileGraph.set(
      path.replace(/\.[jt]s$/, ''),
      live.map(({ specifier }) => relative(root, resolve(dirname(file), specifier)).replace(/\.js$/, '')),
    )
  }
  packageGraph.set(owner.name, [...imported])
}

complaints.push(...judgeThirdParty(uses))
complaints.push(...circles(packageGraph).map((circle) => `packages import each other in a circle: ${circle}`))
complaints.push(...circles(fileGraph).map((circle) => `files import each other in a circle: ${circle}`))
if (count === 0) complaints.push(`no source files below ${root}`)
for (const complaint of complaints) console.error(complaint)
console.log(`imports: ${count} files, ${complaints.length} faults`)
process.exitCode = complaints.length > 0 ? 1 : 0

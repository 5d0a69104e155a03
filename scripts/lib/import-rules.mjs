// SPDX-License-Identifier: MIT
import { dirname, relative, resolve, sep } from 'node:path'

/** A package may import what stands lower; never its own rank. */
const RANKS = {
  base: 0,
  telemetry: 1,
  config: 1,
  sasl: 2,
  net: 2,
  state: 2,
  auth: 3,
  routing: 3,
  pool: 3,
  session: 4,
  frontend: 5,
  cli: 7,
}
const PROTOCOL_RANK = 6
/** They serve tests and the demonstration: nothing that ships imports them, and they know no protocol. */
export const HELPERS = new Set(['testkit', 'demo-mailbox'])

/** Grammar, mechanisms and decisions: nothing there may touch the world. */
const PURE =
  /^(packages\/sasl\/src\/|packages\/routing\/src\/(router|decide)\.ts|protocols\/[^/]+\/src\/(.*\/)?(parse|replies)[^/]*\.ts)/
const WORLDLY = /^node:(net|tls|fs|http|https|http2|dgram|dns|child_process|timers|worker_threads)(\/|$)/

/**
 * What is wrong with one file's imports, as `line: message`. `owner` is its package; `path` is relative to the root; `packages`
 * holds the place (`packages` or `protocols`) of each package by name.
 */
export function judgeImports({ root, path, owner, imports, packages }) {
  const shipped = path.startsWith(`${relative(root, owner.folder)}${sep}src${sep}`)
  return imports.flatMap(({ specifier, line }) => {
    const message =
      judgeRelative(root, path, owner, specifier) ??
      judgeDeep(specifier) ??
      (shipped ? (judgeRank(path, owner, specifier, packages) ?? judgePurity(path, specifier)) : undefined)
    return message === undefined ? [] : [`${path}:${line}: ${message}`]
  })
}

function judgeRelative(root, path, owner, specifier) {
  if (!specifier.startsWith('.')) return undefined
  const target = resolve(dirname(resolve(root, path)), specifier)
  if (target.startsWith(owner.folder + sep)) return undefined
  return `${specifier} leaves the package; import another one by its name`
}

function judgeDeep(specifier) {
  return /^@portico\/[^/]+\//.test(specifier)
    ? `${specifier} reaches inside a package; its index is its only face`
    : undefined
}

function judgeRank(path, owner, specifier, packages) {
  const name = /^@portico\/([^/]+)$/.exec(specifier)?.[1]
  if (name === undefined) return undefined
  if (name === owner.name) return `${owner.name} imports itself by its name`
  if (!packages.has(name)) return `${specifier} is not a package of this workspace`
  if (HELPERS.has(owner.name)) return judgeHelper(owner, name, packages)
  if (HELPERS.has(name)) return `${owner.name} must not import ${name}, which is for tests and the demonstration`
  const [from, to] = [rankOf(owner.name, owner.place), rankOf(name, packages.get(name))]
  if (from === undefined) return `${owner.name} has no rank yet; give it one in scripts/lib/import-rules.mjs`
  if (to === undefined || to >= from) return `${owner.name} must not import ${name}, which does not stand lower`
  if (name === 'frontend' && owner.place === 'protocols' && !path.endsWith('/src/bin.ts')) {
    return 'only bin.ts of a protocol may import frontend'
  }
  return undefined
}

function judgeHelper(owner, name, packages) {
  if (packages.get(name) === 'protocols' || name === 'cli')
    return `${owner.name} must not import ${name}: protocols come as arguments`
  if (owner.name === 'demo-mailbox' && HELPERS.has(name)) return 'demo-mailbox must not import testkit'
  return undefined
}

function judgePurity(path, specifier) {
  return PURE.test(path) && WORLDLY.test(specifier) ? `${specifier} in a file that has to be pure` : undefined
}

function rankOf(name, place) {
  return place === 'protocols' ? PROTOCOL_RANK : RANKS[name]
}

/** Third-party packages that more than one shipped file imports. `uses` are pairs of package and file. */
export function judgeThirdParty(uses) {
  const files = new Map()
  for (const [name, path] of uses) files.set(name, new Set([...(files.get(name) ?? []), path]))
  return [...files]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${[...paths][1]}: ${name} is imported in more than one file: ${[...paths].join(', ')}`)
}

/** The third-party package that a specifier names; undefined for our own, Node's and relative ones. */
export function thirdParty(specifier) {
  if (/^(\.|node:|@portico\/)/.test(specifier)) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The circles in a graph of names, each told once, as `a → b → a`. */
export function circles(graph) {
  const done = new Set()
  const found = []
  const walk = (node, trail) => {
    const at = trail.indexOf(node)
    if (at >= 0) found.push([...trail.slice(at), node].join(' → '))
    if (at >= 0 || done.has(node)) return
    for (const next of graph.get(node) ?? []) walk(next, [...trail, node])
    done.add(node)
  }
  for (const node of graph.keys()) walk(node, [])
  return found
}

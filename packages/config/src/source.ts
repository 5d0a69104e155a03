// SPDX-License-Identifier: MIT
// The one file that knows the YAML parser.
import { isCollection, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { ConfigError, type ConfigPath, type Position } from './config-error.js'

/** A configuration text that remembers where everything stands. */
export interface ConfigSource {
  readonly file: string
  /** Where a setting is written; for one that is not, where the mapping begins that should hold it. */
  positionOf(path: ConfigPath): Position
  /** Whether the text itself has this place. */
  has(path: ConfigPath): boolean
  /** The same error with positions. */
  locate(error: ConfigError): ConfigError
}

/** Reads YAML 1.2. Throws {@link ConfigError} with the position of each fault; keys must be unique, and aliases are bounded. */
export function parseConfig(text: string, file: string): { readonly value: unknown; readonly source: ConfigSource } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: false })
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    throw new ConfigError(
      faults.map(({ message, pos }) => ({
        path: [],
        expectation: `expected YAML: ${message.split('\n')[0]}`,
        position: at(pos[0]),
      })),
    )
  }
  const find = (path: ConfigPath) => lookUp(document.contents, path)
  const source: ConfigSource = {
    file,
    positionOf: (path) => at(find(path).offset),
    has: (path) => find(path).found,
    locate: (error) =>
      new ConfigError(
        error.problems.map((problem) =>
          problem.position === undefined
            ? { ...problem, position: at(offsetOf(find(problem.path), problem.ofKey)) }
            : problem,
        ),
        { cause: error.cause },
      ),
  }
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), source }
  } catch (cause) {
    throw new ConfigError([{ path: [], expectation: `expected YAML: ${(cause as Error).message}`, position: at(0) }])
  }
}

function offsetOf({ offset, key = offset }: Found, ofKey = false): number {
  return ofKey ? key : offset
}

interface Found {
  readonly offset: number
  /** Where the key stands that leads here. */
  readonly key?: number | undefined
  readonly found: boolean
}

/** Points at a scalar or flow collection itself, and at the key of a block collection, whose own start is its first child. */
function lookUp(top: Node | null, path: ConfigPath): Found {
  let node: unknown = top
  let offset = top?.range?.[0] ?? 0
  let key: number | undefined
  for (const part of path) {
    const child = childOf(node, part)
    if (child === undefined) return { offset, found: false }
    node = child.value
    key = child.offset
    const block = isCollection(node) && node.flow !== true
    const start = isNode(node) && !(isScalar(node) && node.value === null) ? node.range?.[0] : undefined
    offset = (block ? undefined : start) ?? child.offset ?? start ?? offset
  }
  return { offset, key, found: true }
}

function childOf(
  node: unknown,
  part: string | number,
): { readonly value: unknown; readonly offset?: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
    if (pair === undefined) return undefined
    const offset = isNode(pair.key) ? pair.key.range?.[0] : undefined
    return { value: pair.value, ...(offset === undefined ? {} : { offset }) }
  }
  const item = isSeq(node) && typeof part === 'number' ? node.items[part] : undefined
  return item === undefined ? undefined : { value: item }
}

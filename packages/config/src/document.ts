// SPDX-License-Identifier: MIT
import { type JsonSchema, jsonSchemaOf } from './json-schema.js'
import { DURATION_PATTERN, type Schema, SIZE_PATTERN } from './language.js'

interface Row {
  readonly path: string
  readonly type: string
  readonly standard: string
  readonly description: string
}

/** A page in Markdown with every key: its type, default and meaning; one table for each key at the top. */
export function documentSchema(schema: Schema): string {
  const top = jsonSchemaOf(schema)
  const required = new Set(top.required)
  const sections = Object.entries(top.properties ?? {}).map(([key, child]) => {
    const rows: Row[] = []
    collect(child, key, required.has(key), rows)
    return `## ${key}\n\n${table(rows)}`
  })
  return `${sections.join('\n\n')}\n`
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ path, type, standard, description }) =>
      `| \`${path}\` | ${cell(type)} | ${cell(standard)} | ${cell(description)} |`,
  )
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function collect(schema: JsonSchema, path: string, required: boolean, rows: Row[]): void {
  const description = schema.description ?? ''
  rows.push({ path, type: typeOf(schema), standard: standardOf(schema, required), description })
  descend(schema, path, rows)
}

function descend(schema: JsonSchema, path: string, rows: Row[]): void {
  if (isSecret(schema)) return
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    collect(child, `${path}.${key}`, schema.required?.includes(key) === true, rows)
  }
  if (typeof schema.additionalProperties === 'object') {
    const values = schema.additionalProperties
    if (hasKeys(values)) collect(values, `${path}.<name>`, false, rows)
  }
  if (schema.items !== undefined && hasKeys(schema.items)) descend(schema.items, `${path}[]`, rows)
  for (const choice of choicesOf(schema)) {
    const kind = discriminatorOf(choice)
    if (kind === undefined) descend(choice, path, rows)
    else describeChoice(choice, path, kind, rows)
  }
}

/** One of several forms told apart by a constant key: each of them is listed with all its keys. */
function describeChoice(choice: JsonSchema, path: string, kind: readonly [string, unknown], rows: Row[]): void {
  const [key, value] = kind
  const name = `${path}(${key}: ${String(value)})`
  const properties = Object.entries(choice.properties ?? {}).filter(([child]) => child !== key)
  rows.push({ path: name, type: 'mapping', standard: '', description: choice.description ?? '' })
  for (const [child, schema] of properties) {
    collect(schema, `${name}.${child}`, choice.required?.includes(child) === true, rows)
  }
}

function hasKeys(schema: JsonSchema): boolean {
  if (isSecret(schema)) return false
  return (
    schema.properties !== undefined ||
    typeof schema.additionalProperties === 'object' ||
    (schema.items !== undefined && hasKeys(schema.items)) ||
    choicesOf(schema).some(hasKeys)
  )
}

export function choicesOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? schema.anyOf ?? []
}

/** The key with a constant value that tells this form from others. */
export function discriminatorOf(schema: JsonSchema): readonly [string, unknown] | undefined {
  const found = Object.entries(schema.properties ?? {}).find(([, child]) => child.const !== undefined)
  return found === undefined ? undefined : [found[0], found[1].const]
}

function isSecret(schema: JsonSchema): boolean {
  const keys = choicesOf(schema).flatMap(({ properties }) => Object.keys(properties ?? {}))
  return keys.length === 2 && keys[0] === 'file' && keys[1] === 'env'
}

function typeOf(schema: JsonSchema): string {
  if (isSecret(schema)) return '`{ file: … }` or `{ env: … }`'
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ')
  const choices = choicesOf(schema)
  if (choices.length > 0) return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema.pattern === DURATION_PATTERN) return 'duration'
  if (schema.pattern === SIZE_PATTERN) return 'size'
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : typeOf(schema.items)}`
  if (schema.type === 'object') return 'mapping'
  return (
    { string: 'text', integer: 'whole number', number: 'number', boolean: '`true` or `false`' }[schema.type ?? ''] ??
    'anything'
  )
}

function standardOf(schema: JsonSchema, required: boolean): string {
  if (required) return '**required**'
  const { default: standard } = schema
  if (standard === undefined) return ''
  if (typeof standard === 'object' && standard !== null && Object.keys(standard).length === 0) return ''
  if (Array.isArray(standard) && standard.every((item) => typeof item !== 'object'))
    return `\`[${standard.join(', ')}]\``
  return `\`${typeof standard === 'string' ? standard : JSON.stringify(standard)}\``
}

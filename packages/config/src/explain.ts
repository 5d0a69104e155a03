// SPDX-License-Identifier: MIT
import { Secret } from '@portico/base'
import type { ConfigPath } from './config-error.js'
import { choicesOf, discriminatorOf } from './document.js'
import { type JsonSchema, jsonSchemaOf } from './json-schema.js'
import type { Schema } from './language.js'
import type { ConfigSource } from './source.js'

const INDENT = '  '
const COLUMN = 60

/**
 * Every setting that holds, as YAML, each with where it comes from: `file:line` or `default`. Secrets show as `***`, the
 * password of a URL too. The configuration has to be valid.
 */
export function explain(schema: Schema, config: unknown, source: ConfigSource): string {
  const page = new Page(source)
  for (const [key, value, shape] of entriesOf(jsonSchemaOf(schema), isMapping(config) ? config : {})) {
    page.write(shape, value, [key], `${key}:`)
  }
  return page.text
}

class Page {
  readonly #source: ConfigSource
  readonly #lines: string[] = []

  constructor(source: ConfigSource) {
    this.#source = source
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`
  }

  /** Writes a value behind its label, and what it holds on lines of their own. */
  write(shape: JsonSchema | undefined, value: unknown, path: ConfigPath, label: string, depth = 0): void {
    if (Array.isArray(value) && value.length > 0) {
      this.#put(depth, label)
      value.forEach((item, index) => {
        this.write(formOf(shape?.items, item), item, [...path, index], '-', depth + 1)
      })
      return
    }
    const entries = isMapping(value) ? entriesOf(shape, value) : []
    if (entries.length === 0) this.#put(depth, `${label} ${shown(value)}`, path)
    else this.#put(depth, label)
    for (const [key, child, form] of entries) this.write(form, child, [...path, key], `${key}:`, depth + 1)
  }

  #put(depth: number, text: string, path?: ConfigPath): void {
    const line = `${INDENT.repeat(depth)}${text}`
    this.#lines.push(path === undefined ? line : `${line.padEnd(COLUMN)} # ${this.#origin(path)}`)
  }

  #origin(path: ConfigPath): string {
    return this.#source.has(path) ? `${this.#source.file}:${this.#source.positionOf(path).line}` : 'default'
  }
}

/** What is written and what holds by default, in the order of the schema. */
function entriesOf(
  shape: JsonSchema | undefined,
  value: Readonly<Record<string, unknown>>,
): readonly (readonly [string, unknown, JsonSchema | undefined])[] {
  const known = Object.entries(shape?.properties ?? {}).flatMap(([key, child]) => {
    const own = value[key] ?? child.default
    return own === undefined ? [] : [[key, own, formOf(child, own)] as const]
  })
  const named = typeof shape?.additionalProperties === 'object' ? shape.additionalProperties : undefined
  const others = Object.entries(value)
    .filter(([key]) => shape?.properties?.[key] === undefined)
    .map(([key, own]) => [key, own, formOf(named, own)] as const)
  return [...known, ...others]
}

/** Of several forms the one that the value has. */
function formOf(shape: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  const choices = shape === undefined ? [] : choicesOf(shape)
  if (choices.length === 0 || !isMapping(value)) return shape
  return choices.find((choice) => {
    const kind = discriminatorOf(choice)
    if (kind !== undefined) return value[kind[0]] === kind[1]
    return choice.properties !== undefined && Object.keys(value).every((key) => choice.properties?.[key] !== undefined)
  })
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)
}

/** Whoever writes a password into a URL means it no less as a secret. */
const URL_WITH_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/:@]*:)[^/@]*@/i

function shown(value: unknown): string {
  if (value instanceof Secret) return String(value)
  if (typeof value === 'string' && URL_WITH_PASSWORD.test(value))
    return JSON.stringify(value.replace(URL_WITH_PASSWORD, '$1***@'))
  if (typeof value === 'string' && /^[A-Za-z/][\w./@-]*$/.test(value)) return value
  return JSON.stringify(value)
}

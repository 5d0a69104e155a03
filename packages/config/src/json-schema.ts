// SPDX-License-Identifier: MIT
import { DURATION_PATTERN, formatDuration, formatSize, type Schema, SIZE_PATTERN, z } from './language.js'

/** The part of JSON Schema (draft 2020-12) that configurations come to. */
export interface JsonSchema {
  readonly $schema?: string
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

const SECRET = {
  description: 'A secret: the file that holds it, or the environment variable.',
  oneOf: ['file', 'env'].map((key) => ({
    type: 'object',
    properties: { [key]: { type: 'string' } },
    required: [key],
    additionalProperties: false,
  })),
}

/** JSON Schema of what may be written, for editors and for generated pages. */
export function jsonSchemaOf(schema: Schema): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod
      const { description } = jsonSchema
      if (def.type === 'custom') Object.assign(jsonSchema, SECRET, description === undefined ? {} : { description })
      if (def.type === 'default') jsonSchema.default = asWritten(def.defaultValue, jsonSchema as JsonSchema)
    },
  }) as JsonSchema
}

/** Defaults are kept as the program wants them; a reader wants them as one writes them. */
function asWritten(value: unknown, { pattern, items, properties = {} }: JsonSchema): unknown {
  if (Array.isArray(value)) return value.map((item) => asWritten(item, items ?? {}))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, asWritten(own, properties[key] ?? {})]))
  }
  if (typeof value !== 'number') return value
  if (pattern === DURATION_PATTERN) return formatDuration(value)
  return pattern === SIZE_PATTERN ? formatSize(value) : value
}

// SPDX-License-Identifier: MIT
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@portico/base'
import {
  address,
  ConfigError,
  documentSchema,
  duration,
  explain,
  jsonSchemaOf,
  loadConfig,
  located,
  networks,
  secret,
  size,
  textSource,
  validate,
  z,
} from '@portico/config'
import { describe, expect, test } from 'vitest'

const schema = z.strictObject({
  version: z.literal(1),
  wait: duration().default(90_000).describe('How long.'),
  most: size().default(65_536).describe('How much.'),
  at: address().optional().describe('Where.'),
  near: networks().default(() => ({ cidrs: [], contains: () => false, widthOf: () => undefined })),
  password: secret().optional().describe('Secret.'),
  text: textSource().optional(),
  doors: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('front'), width: z.int().min(1) }),
        z.strictObject({ kind: z.literal('back'), hidden: z.boolean().default(true) }),
      ]),
    )
    .default([]),
  nested: z.strictObject({ deep: z.strictObject({ on: z.boolean().default(false) }).prefault({}) }).prefault({}),
})

const folder = mkdtempSync(join(tmpdir(), 'portico-config-'))

function put(text: string, name = 'c.yaml'): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 })
  return join(folder, name)
}

function load(text: string, env: Record<string, string> = {}) {
  const loaded = loadConfig(put(text), { env })
  return { ...loaded, settings: located(loaded.source, () => validate(schema, loaded.config)) }
}

function faultsOf(text: string): string {
  try {
    load(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder}/`, '')
    throw error
  }
  return 'none'
}

describe('what is wrong is told with its place', () => {
  test.each<[string, string, string]>([
    ['an unknown key', 'version: 1\nnested:\n  deep:\n    off: true\n', 'c.yaml:4:5: nested.deep.off: unknown key'],
    ['an unknown key at the top', 'version: 1\nwiat: 3s\n', 'c.yaml:2:1: wiat: unknown key'],
    ['a missing version', 'wait: 3s\n', 'c.yaml:1:1: version: expected 1, but the key is missing'],
    ['another version', 'version: 2\n', 'c.yaml:1:10: version: expected 1'],
    ['a duration without unit', 'version: 1\nwait: 30\n', 'c.yaml:2:7: wait: expected text, found a number'],
    ['no duration', 'version: 1\nwait: soon\n', 'c.yaml:2:7: wait: expected a duration such as 30s, 5m or 1h'],
    ['no end', 'version: 1\nwait: 99999999999d\n', 'c.yaml:2:7: wait: expected a duration that ends'],
    [
      'no measure',
      'version: 1\nmost: 9999999999999999KiB\n',
      'c.yaml:2:7: most: expected a size that memory or disks can have',
    ],
    ['no size', 'version: 1\nmost: 3MB\n', 'c.yaml:2:7: most: expected a size such as 64KiB or 35MiB'],
    ['no address', 'version: 1\nat: here\n', 'c.yaml:2:5: at: expected host:port, [v6]:port or unix:/path'],
    [
      'no CIDR block',
      'version: 1\nnear: [10.0.0.0/33]\n',
      'c.yaml:2:7: near: expected something else: not an address or CIDR block: 10.0.0.0/33',
    ],
    ['a bare secret', 'version: 1\npassword: hunter2\n', 'c.yaml:2:11: password: expected { file: … } or { env: … }'],
    [
      'an unset variable',
      'version: 1\npassword: { env: NOPE }\n',
      'c.yaml:2:18: password.env: expected the environment variable NOPE to be set',
    ],
    ['a list for a mapping', 'version: 1\nnested: []\n', 'c.yaml:2:9: nested: expected a mapping, found a list'],
    [
      'an unknown kind',
      'version: 1\ndoors:\n  - { kind: side }\n',
      'c.yaml:3:13: doors[0].kind: expected kind to be front or back',
    ],
    [
      'a number out of range',
      'version: 1\ndoors:\n  - { kind: back }\n  - kind: front\n    width: 0\n',
      'c.yaml:5:12: doors[1].width: expected at least 1',
    ],
    [
      'a missing key in a list',
      'version: 1\ndoors:\n  - kind: front\n',
      'c.yaml:3:5: doors[0].width: expected a number, but the key is missing',
    ],
    ['the same key twice', 'version: 1\nwait: 1s\nwait: 2s\n', 'c.yaml:3:1: expected YAML: Map keys must be unique'],
    [
      'no YAML',
      'version: [1\n',
      'c.yaml:2:1: expected YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['an empty file', '', 'c.yaml:1:1: expected a mapping, found nothing'],
  ])('%s', (_, text, expected) => {
    expect(faultsOf(text)).toBe(expected)
  })

  test('all faults are told at once', () => {
    expect(faultsOf('version: 2\nwait: x\nmost: y\n').split('\n')).toHaveLength(3)
  })

  test('a file that is not there is a fault like others', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'))).toThrow(ConfigError)
  })

  test('YAML that multiplies itself is refused', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
    expect(faultsOf(`a0: &a0 x\n${levels.join('\n')}\n`)).toMatch(/expected YAML: Excessive alias count/)
  })
})

describe('secrets', () => {
  test('a file that does not exist is said not to exist, and no word about who may open it', () => {
    const fault = faultsOf('version: 1\npassword: { file: nowhere }\n')
    expect(fault).toBe('c.yaml:2:19: password.file: expected a secret in a file: nowhere does not exist')
  })

  test('come from a file beside the configuration, without its last line end', () => {
    put('hunter2\n', 'secret')
    const { settings } = load('version: 1\npassword: { file: secret }\n')
    expect(settings.password?.expose()).toBe('hunter2')
  })

  test('come from the environment', () => {
    expect(load('version: 1\npassword: { env: P }\n', { P: 'x' }).settings.password?.expose()).toBe('x')
  })

  test('the file of a log block alone is written to, not read', () => {
    expect(loadConfig(put('log: { file: none.log }\n')).config).toEqual({ log: { file: 'none.log' } })
    expect(() => loadConfig(put('other: { file: none.log }\n'))).toThrow(/other\.file: expected a secret/)
  })

  test.each([0o604, 0o602, 0o644])('a file with mode %o is refused', (mode) => {
    chmodSync(put('hunter2', 'open'), mode)
    const fault = faultsOf('version: 1\npassword: { file: open }\n')
    expect(fault).toMatch(/^c\.yaml:2:19: password\.file: expected a secret in a file .*chmod o-rwx/)
    expect(fault).not.toContain('hunter2')
  })
})

describe('explain', () => {
  const text = 'version: 1\nwait: 5s\npassword: { env: P }\ndoors:\n  - kind: back\n'
  const lines = () => {
    const { config, source } = load(text, { P: 'hunter2' })
    return explain(schema, config, source).replaceAll(`${folder}/`, '')
  }

  test('shows no password that stands in a URL', () => {
    const { config, source } = load('version: 1\ntext: "https://door:hunter2@lookup.test:8/x"\n')
    const page = explain(schema, config, source)
    expect(page).toContain('"https://door:***@lookup.test:8/x"')
    expect(page).not.toContain('hunter2')
  })

  test('shows where each setting comes from', () => {
    expect(lines()).toMatch(/^wait: "5s" +# c\.yaml:2$/m)
    expect(lines()).toMatch(/^most: "64KiB" +# default$/m)
    expect(lines()).toMatch(/^ {4}on: false +# default$/m)
    expect(lines()).toMatch(/^ {4}hidden: true +# default$/m)
  })

  test('hides secrets', () => {
    expect(lines()).toMatch(/^password: \*\*\* +# c\.yaml:3$/m)
    expect(lines()).not.toContain('hunter2')
  })
})

describe('what can be written is published', () => {
  test('as JSON Schema, defaults as they are written', () => {
    const { properties, required, additionalProperties } = jsonSchemaOf(schema)
    expect(required).toEqual(['version'])
    expect(additionalProperties).toBe(false)
    expect(properties).toMatchObject({ wait: { type: 'string', default: '90s', description: 'How long.' } })
    expect(Object.values(properties ?? {}).filter(({ oneOf }) => oneOf !== undefined)).toHaveLength(1)
  })

  test('as a page with every key', () => {
    const page = documentSchema(schema)
    expect(page).toContain('| `wait` | duration | `90s` | How long. |')
    expect(page).toContain('| `doors[](kind: front).width` | whole number | **required** |')
    expect(page).toContain('| `password` | `{ file: … }` or `{ env: … }` |  | Secret. |')
  })
})

test('an embedder passes secrets and texts directly', () => {
  const settings = validate(schema, { version: 1, password: new Secret('x'), text: { text: 'PEM' } })
  expect(settings.password?.expose()).toBe('x')
  expect(settings.text).toEqual({ kind: 'text', text: 'PEM' })
})

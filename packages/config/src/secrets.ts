// SPDX-License-Identifier: MIT
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Secret } from '@portico/base'
import { ConfigError, type ConfigPath, type ConfigProblem } from './config-error.js'

const OTHERS = 0o006
/** Blocks at the top whose `file` is one to write to. */
const WRITTEN_TO: ReadonlySet<string | number | undefined> = new Set(['log'])

/** A secret that remembers the file it came from, so that it can be read again when that changes. */
export class FileSecret extends Secret<string> {
  readonly path: string

  constructor(path: string, text: string) {
    super(text)
    this.path = path
  }
}

/** Reads a secret without its last line end. Throws, naming the remedy, when everybody on the machine may read or write it. */
export function readSecretFile(path: string): FileSecret {
  const { mode } = statSync(path)
  if ((mode & OTHERS) !== 0) throw new Error(`${path} is open to every user of this machine: chmod o-rwx it`)
  return new FileSecret(path, readFileSync(path, 'utf8').replace(/\r?\n$/, ''))
}

/** Where secrets may come from. */
export interface SecretOrigins {
  /** Relative paths start here. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Replaces each mapping whose only key is `file` or `env` by the secret that it names: but for a whole `log` block such a
 * mapping means nothing else in the language. Throws {@link ConfigError} with every secret that cannot be had.
 */
export function resolveSecrets(value: unknown, origins: SecretOrigins): unknown {
  const problems: ConfigProblem[] = []
  const walk = (node: unknown, path: ConfigPath): unknown => {
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]))
    if (typeof node !== 'object' || node === null || node instanceof Secret) return node
    const entries = Object.entries(node)
    const [only] = entries
    const mayBeSecret = path.length !== 1 || !WRITTEN_TO.has(path[0])
    if (mayBeSecret && entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
      const found = resolveOne(only[0], only[1], origins)
      if (typeof found === 'string') problems.push({ path: [...path, only[0]], expectation: found })
      else if (found !== undefined) return found
    }
    return Object.fromEntries(entries.map(([key, child]) => [key, walk(child, [...path, key])]))
  }
  const resolved = walk(value, [])
  if (problems.length > 0) throw new ConfigError(problems)
  return resolved
}

/** The secret, or why there is none, or `undefined` for a mapping that names none. */
function resolveOne(key: string, text: string, origins: SecretOrigins): Secret | string | undefined {
  if (key === 'env') {
    const value = origins.env[text]
    return value === undefined ? `expected the environment variable ${text} to be set` : new Secret(value)
  }
  if (key !== 'file') return undefined
  try {
    return readSecretFile(resolve(origins.directory, text))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `expected a secret in a file: ${text} does not exist`
    return `expected a secret in a file that only its owner and group can open: ${(error as Error).message}`
  }
}

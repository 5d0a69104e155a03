// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './config-error.js'
import { resolveSecrets } from './secrets.js'
import { type ConfigSource, parseConfig } from './source.js'

/** A configuration file that was read: not yet validated. */
export interface LoadedConfig {
  /** The plain value, secrets as Secret. */
  readonly config: unknown
  readonly source: ConfigSource
  /** What the file holds, as written. */
  readonly text: string
  /** The file's folder: relative paths in it start there. */
  readonly directory: string
}

/**
 * Reads a configuration file and the secrets that it names. The environment is asked for secrets only. Throws
 * {@link ConfigError} with positions. `text` stands for what the file holds, when it was read before.
 */
export function loadConfig(
  path: string,
  options: { readonly env?: Readonly<Record<string, string | undefined>>; readonly text?: string } = {},
): LoadedConfig {
  const directory = dirname(resolve(path))
  const text = options.text ?? readText(path)
  const { value, source } = parseConfig(text, path)
  return located(source, () => ({
    config: resolveSecrets(value, { directory, env: options.env ?? process.env }),
    source,
    text,
    directory,
  }))
}

/** Runs something that may find faults in a configuration; they leave with their positions. */
export function located<T>(source: ConfigSource, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof ConfigError ? source.locate(error) : error
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const expectation = `expected a readable configuration file: ${(cause as Error).message}`
    throw new ConfigError([{ path: [], expectation, position: { file: path, line: 1, column: 1 } }], { cause })
  }
}

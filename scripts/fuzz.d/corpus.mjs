// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folderOf = (name) => fileURLToPath(new URL(`corpus/${name}/`, import.meta.url))

/** Inputs that once were findings: their file names and octets. */
export function corpusOf(name) {
  const folder = folderOf(name)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ file, bytes: Buffer.from(JSON.parse(readFileSync(folder + file, 'utf8')).input, 'latin1') }))
}

/** Keeps a finding. The input is text of one character for each octet. Returns the file. */
export function keep(name, { bytes, error, seed, path }) {
  const folder = folderOf(name)
  mkdirSync(folder, { recursive: true })
  const file = `${folder}${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.json`
  const finding = { found: error.split('\n')[0], seed, path, input: bytes.toString('latin1') }
  writeFileSync(file, `${JSON.stringify(finding, undefined, 2)}\n`)
  return file
}

// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateFolder } from '@portico/testkit'
import { succeed } from './clients.js'

/** What turns ActiveSync's documents into their binary form and back. */
export const WBXML_PROGRAMS = ['xml2wbxml', 'wbxml2xml'] as const

const HEAD = `<?xml version="1.0"?>
<!DOCTYPE ActiveSync PUBLIC "-//MICROSOFT//DTD ActiveSync//EN" "http://www.microsoft.com/">
`

/** An ActiveSync document in the binary form that devices send (MS-ASWBXML); a file's path. */
export async function wbxmlFile(xml: string): Promise<string> {
  const folder = privateFolder('wbxml')
  const [from, to] = [join(folder, 'in.xml'), join(folder, 'out.wbxml')]
  writeFileSync(from, HEAD + xml)
  await succeed('xml2wbxml', ['-n', '-v', '1.3', '-o', to, from])
  return to
}

/** A server's binary answer as XML. Some answers have no content: empty text. */
export async function xmlOf(file: string): Promise<string> {
  if (readFileSync(file).length === 0) return ''
  return succeed('wbxml2xml', ['-l', 'ACTIVESYNC', '-o', '-', file])
}

// SPDX-License-Identifier: MIT

/** What clamd says of a message. */
export type ScanResult =
  | { readonly kind: 'clean' }
  | { readonly kind: 'too-big' }
  /** `signature`: what it has found, as may stand in a reply. */
  | { readonly kind: 'found'; readonly signature: string }

const FOUND = /^stream: (.+) FOUND$/
const LONGEST_NAME = 100

/** Reads an answer to INSTREAM (clamd(8)), without the NUL at its end. Throws where clamd could not scan. */
export function readScanReply(text: string): ScanResult {
  if (text === 'stream: OK') return { kind: 'clean' }
  const [, name] = FOUND.exec(text) ?? []
  if (name !== undefined) return { kind: 'found', signature: printable(name).slice(0, LONGEST_NAME) }
  if (text.startsWith('INSTREAM size limit exceeded')) return { kind: 'too-big' }
  throw new Error(`clamd answered: ${printable(text)}`)
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?')
}

// SPDX-License-Identifier: MIT
import { decodeOctets, decodeRaw } from '../message/decode-octets.js'

/** RFC 2047 section 2; the language of RFC 2231 section 5 may stand behind the character set. */
const WORD = /=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([bq])\?([^?\r\n]*)\?=/gi

interface Word {
  readonly charset: string
  readonly octets: Buffer
}

/**
 * Text of a header field, a character for each octet, with its encoded words read (RFC 2047). White space between two of them goes,
 * and neighbours of one character set are read together: careless writers cut characters in two.
 */
export function decodeWords(raw: string): string {
  let text = ''
  let from = 0
  let words: Word[] = []
  const flush = () => {
    text += wordsText(words)
    words = []
  }
  for (const match of raw.matchAll(WORD)) {
    const between = raw.slice(from, match.index)
    if (words.length === 0 || /\S/.test(between)) {
      flush()
      text += decodeRaw(between)
    }
    const [all, charset, encoding, content] = match as unknown as readonly [string, string, string, string]
    words.push({ charset: charset.toLowerCase(), octets: wordOctets(encoding, content) })
    from = match.index + all.length
  }
  flush()
  return text + decodeRaw(raw.slice(from))
}

function wordOctets(encoding: string, content: string): Buffer {
  if (encoding.toLowerCase() === 'b') return Buffer.from(content, 'base64')
  const plain = content
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}

function wordsText(words: readonly Word[]): string {
  let text = ''
  for (let at = 0; at < words.length; ) {
    const { charset } = words[at] as Word
    let end = at
    while (words[end]?.charset === charset) end += 1
    text += decodeOctets(Buffer.concat(words.slice(at, end).map(({ octets }) => octets)), charset)
    at = end
  }
  return text
}

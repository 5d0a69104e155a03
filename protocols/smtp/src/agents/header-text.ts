// SPDX-License-Identifier: MIT

const FIELD_NAME = /^[A-Za-z][!-9;-~]{0,76}$/
/** Octets of a line without its end (RFC 5322 section 2.1.1). */
const LONGEST_LINE = 998
/** Octets of text in one encoded word, whose length is bounded to 75 (RFC 2047 section 2). */
const WORD = 45

/**
 * A whole field with its CRLF, of a value in ASCII that may be folded. Undefined where it would not be one field of the grammar (RFC
 * 5322 section 2.2): another name, an octet that is not ASCII, a line too long, a line that does not continue the one before.
 */
export function headerField(name: string, value: string): string | undefined {
  if (!FIELD_NAME.test(name)) return undefined
  const lines = `${name}: ${value.trim()}`.split(/\r?\n/)
  const fits = lines.every(
    (line, at) => /^[\t -~]*$/.test(line) && line.length <= LONGEST_LINE && (at === 0 || /^[\t ]+[!-~]/.test(line)),
  )
  return fits ? `${lines.join('\r\n')}\r\n` : undefined
}

/** Text as it may stand in a field without structure (RFC 2047): ASCII as it is, anything else as encoded words. */
export function encodedText(text: string): string {
  if (/^[\t\r\n -~]*$/.test(text)) return text
  const words: string[] = []
  let word = ''
  for (const character of text.replace(/[\x00-\x1f\x7f]/g, ' ')) {
    if (Buffer.byteLength(word + character) > WORD) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ')
}

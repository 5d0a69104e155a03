// SPDX-License-Identifier: MIT

/** How much may change on the way (RFC 6376 section 3.4). */
export type Canonicalization = 'simple' | 'relaxed'

/**
 * One header field as it is signed, without the CRLF at its end (RFC 6376 sections 3.4.1 and 3.4.2). `lines` is the whole field as it
 * came, one character for each octet.
 */
export function canonicalField(lines: string, form: Canonicalization): string {
  const field = lines.endsWith('\r\n') ? lines.slice(0, -2) : lines
  if (form === 'simple') return field
  const colon = field.indexOf(':')
  // Only space and tab are white space here: \s would take octets of UTF-8 for it.
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
  const name = field.slice(0, colon).toLowerCase().replace(/[ \t]/g, '')
  return `${name}:${withoutOuterSpace(value)}`
}

/** The value of the `b` tag goes, with all white space around it (RFC 6376 section 3.5, "b="); the rest stays as it is. */
export function withoutSignature(lines: string): string {
  const colon = lines.indexOf(':')
  const end = lines.endsWith('\r\n') ? lines.length - 2 : lines.length
  const tags = lines
    .slice(colon + 1, end)
    .split(';')
    .map((tag) => /^[ \t\r\n]*b[ \t\r\n]*=/.exec(tag)?.[0] ?? tag)
  return `${lines.slice(0, colon + 1)}${tags.join(';')}\r\n`
}

/** Of runs of blanks one is left. */
function withoutOuterSpace(text: string): string {
  return text.slice(text.startsWith(' ') ? 1 : 0, text.endsWith(' ') ? -1 : undefined)
}

// SPDX-License-Identifier: MIT

export type Location = 'append' | 'prepend'

/** Plain text with some more below or above it, an empty line between. `flowed`: as RFC 3676 writes lines that do not go on. */
export function insertText(text: string, more: string, location: Location, flowed: boolean): string {
  const lines = more.replace(/\r\n?/g, '\n').trimEnd().split('\n')
  const added = (flowed ? lines.map(unflowing) : lines).join('\n')
  if (text === '') return `${added}\n`
  if (location === 'prepend') return `${added}\n\n${text}`
  return `${text.endsWith('\n') ? text : `${text}\n`}\n${added}\n`
}

/** RFC 3676 section 4.4: no space at the end, and one in front of what would mean something there. */
function unflowing(line: string): string {
  const ended = line.trimEnd()
  return /^(?: |>|From )/.test(ended) ? ` ${ended}` : ended
}

/** HTML with some more at the end of its body or at the start of it, wherever a document or a piece of one has them. */
export function insertHtml(html: string, more: string, location: Location): string {
  // Comments may hold whole documents: nothing in them counts.
  const seen = html.replace(/<!--[\s\S]*?(?:-->|$)/g, (comment) => ' '.repeat(comment.length))
  const at = location === 'append' ? endOfBody(seen) : startOfBody(seen)
  return `${html.slice(0, at)}${more}${html.slice(at)}`
}

function endOfBody(html: string): number {
  for (const end of [/<\/body[\s>]/gi, /<\/html[\s>]/gi]) {
    const last = [...html.matchAll(end)].at(-1)
    if (last !== undefined) return last.index
  }
  return html.length
}

function startOfBody(html: string): number {
  for (const start of [/<body[\s>]/i, /<\/head[\s>]/i, /<html[\s>]/i, /<!doctype[\s>]/i]) {
    const first = start.exec(html)
    const end = first === null ? -1 : html.indexOf('>', first.index)
    if (end !== -1) return end + 1
  }
  return 0
}

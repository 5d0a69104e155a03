// SPDX-License-Identifier: MIT

/** One part of a message, as octets and as the structure that IMAP shows. Strings are Latin-1: one character, one octet. */
export interface MimePart {
  readonly header: string
  readonly body: string
  /** `header` and `body`. */
  readonly whole: string
  readonly type: string
  readonly subtype: string
  readonly parameters: ReadonlyMap<string, string>
  readonly disposition: { readonly kind: string; readonly parameters: ReadonlyMap<string, string> } | undefined
  readonly encoding: string
  readonly parts: readonly MimePart[]
  field(name: string): string | undefined
}

const MAX_DEPTH = 20

/** Takes a message or part apart (RFC 2046 section 5.1). Never fails: what cannot be understood is text. */
export function parseMime(whole: string, depth = 0): MimePart {
  const end = headerEnd(whole)
  const header = whole.slice(0, end)
  const body = whole.slice(end)
  const field = (name: string) => fieldOf(header, name)
  const content = parseValue(field('content-type') ?? 'text/plain; charset=us-ascii')
  const [type = 'text', subtype = 'plain'] = content.value.split('/')
  const disposition = field('content-disposition')
  const boundary = content.parameters.get('boundary')
  const parts =
    type.toLowerCase() === 'multipart' && boundary !== undefined && depth < MAX_DEPTH
      ? splitParts(body, boundary).map((part) => parseMime(part, depth + 1))
      : []
  return {
    header,
    body,
    whole,
    type: type.toUpperCase(),
    subtype: subtype.toUpperCase(),
    parameters: content.parameters,
    disposition: disposition === undefined ? undefined : dispositionOf(disposition),
    encoding: (field('content-transfer-encoding') ?? '7BIT').trim().toUpperCase(),
    parts,
    field,
  }
}

/** A header field, unfolded (RFC 5322 section 2.2.3); the first of its name. */
export function fieldOf(header: string, name: string): string | undefined {
  const wanted = `${name.toLowerCase()}:`
  const line = fieldsOf(header).find((field) => field.slice(0, wanted.length).toLowerCase() === wanted)
  return line
    ?.slice(wanted.length)
    .replace(/\r\n(?=[ \t])/g, '')
    .trim()
}

/** The fields of a header with their folding and line ends, in order. */
export function fieldsOf(header: string): readonly string[] {
  return header.match(/[^\r\n][^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/g) ?? []
}

function headerEnd(whole: string): number {
  if (whole.startsWith('\r\n')) return 2
  const at = whole.indexOf('\r\n\r\n')
  return at < 0 ? whole.length : at + 4
}

function splitParts(body: string, boundary: string): readonly string[] {
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`)
  const parts: string[] = []
  for (const piece of pieces.slice(1)) {
    if (piece.startsWith('--')) break
    parts.push(piece.replace(/^[ \t]*\r\n/, ''))
  }
  return parts
}

function dispositionOf(text: string): MimePart['disposition'] {
  const { value, parameters } = parseValue(text)
  return { kind: value.toUpperCase(), parameters }
}

function parseValue(text: string): { readonly value: string; readonly parameters: ReadonlyMap<string, string> } {
  const [value = '', ...rest] = text.match(/(?:"(?:\\.|[^"\\])*"|[^;"])+/g) ?? []
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const at = part.indexOf('=')
    if (at < 0) continue
    const quoted = part.slice(at + 1).trim()
    parameters.set(part.slice(0, at).trim().toLowerCase(), quoted.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1'))
  }
  return { value: value.trim(), parameters }
}

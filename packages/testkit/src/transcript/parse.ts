// SPDX-License-Identifier: MIT

/** A transcript: a conversation written down, with what must be set up for it. */
export interface Transcript {
  readonly file: string
  /** The first comment line: what the user sees, with the RFC section. */
  readonly title: string
  readonly headers: ReadonlyMap<string, string>
  readonly steps: readonly Step[]
}

/** One end of a connection: the client's, or that of a backend; both counted from 1. */
export interface Channel {
  readonly side: 'client' | 'backend'
  readonly index: number
}

export type Step =
  /** We play this side: the text goes out. */
  | {
      readonly kind: 'send'
      readonly line: number
      readonly channel: Channel
      readonly text: string
      readonly crlf: boolean
    }
  /** Portico must send this to the channel. */
  | {
      readonly kind: 'expect'
      readonly line: number
      readonly channel: Channel
      readonly text: string
      readonly crlf: boolean
    }
  | { readonly kind: 'directive'; readonly line: number; readonly name: string; readonly argument: string }

/** The transcript is not written as it should be. */
class TranscriptSyntaxError extends Error {
  override readonly name = 'TranscriptSyntaxError'
  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`)
  }
}

const DIRECTIVES = new Set(
  'tls one-packet end split clock eof fin reset refuse hang accept next idle connect drain'.split(' '),
)

/** Reads a transcript. Throws {@link TranscriptSyntaxError}. */
export function parseTranscript(file: string, source: string): Transcript {
  const lines = source.split(/\r?\n/)
  const title = lines.find((line) => line.startsWith('#'))?.replace(/^#\s*/, '')
  if (title === undefined)
    throw new TranscriptSyntaxError(file, 1, 'a transcript begins with a comment that says what it shows')
  const { headers, next } = parseHeaders(file, lines)
  const steps: Step[] = []
  for (let at = next; at < lines.length; at++) {
    const step = parseStep(file, at + 1, lines[at] ?? '')
    if (step !== undefined) steps.push(step)
  }
  if (!steps.some((step) => step.kind === 'expect' || step.kind === 'directive')) {
    throw new TranscriptSyntaxError(file, lines.length, 'nothing is expected: such a transcript cannot fail')
  }
  return { file, title, headers, steps }
}

function parseHeaders(file: string, lines: readonly string[]): { headers: Map<string, string>; next: number } {
  const headers = new Map<string, string>()
  let at = 0
  let last: string | undefined
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.startsWith('#') || (line.trim() === '' && headers.size === 0)) continue
    if (line.startsWith(' ') && last !== undefined) {
      headers.set(last, `${headers.get(last)}\n${line}`)
      continue
    }
    const match = /^([a-z][a-z-]*):\s*(.*)$/.exec(line)
    if (match === null) break
    last = match[1] ?? ''
    if (headers.has(last)) throw new TranscriptSyntaxError(file, at + 1, `the header ${last} appears twice`)
    headers.set(last, match[2] ?? '')
  }
  return { headers, next: at }
}

function parseStep(file: string, line: number, text: string): Step | undefined {
  if (text.trim() === '' || text.startsWith('#')) return undefined
  const spoken = /^([CSPB])(\d*):(?: (.*))?$/.exec(text)
  if (spoken !== null) {
    const [, letter = '', index = '', rest = ''] = spoken
    const crlf = !rest.endsWith('\\')
    return {
      kind: letter === 'C' || letter === 'B' ? 'send' : 'expect',
      line,
      channel: {
        side: letter === 'C' || letter === 'S' ? 'client' : 'backend',
        index: index === '' ? 1 : Number(index),
      },
      text: crlf ? rest : rest.slice(0, -1),
      crlf,
    }
  }
  const directive = /^@([a-z-]+)(?:\s+(.*?))?\s*$/.exec(text)
  if (directive === null)
    throw new TranscriptSyntaxError(file, line, `neither a line of the conversation nor a directive: ${text}`)
  const [, name = '', argument = ''] = directive
  if (!DIRECTIVES.has(name)) throw new TranscriptSyntaxError(file, line, `unknown directive @${name}`)
  return { kind: 'directive', line, name, argument }
}

/** `C`, `S`, `P2`, `B2` … or a backend's group name such as `mbx2`. */
export function parseChannel(text: string): Channel | undefined {
  const match = /^(?:([CS])|([PB])|mbx)(\d*)$/.exec(text === '' ? 'B' : text)
  if (match === null) return undefined
  return { side: match[1] === undefined ? 'backend' : 'client', index: match[3] ? Number(match[3]) : 1 }
}

/** `31m`, `+5s`, `250ms` as milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = /^\+?(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * ({ ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 }[match[2] ?? ''] ?? Number.NaN)
}

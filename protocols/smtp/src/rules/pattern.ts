// SPDX-License-Identifier: MIT
// The one file that knows RE2: patterns of a site meet texts of strangers, and its time grows with the text and with nothing else.
import { RE2JS, RE2JSException } from 're2js'

/** Characters of one pattern. */
export const LONGEST_PATTERN = 500
/** Instructions of one compiled pattern: at worst each of them is taken at every character of a text. */
export const LARGEST_PROGRAM = 100

/** A pattern in the syntax of RE2: no back-references and no look-around, which no engine keeps to a bounded time. */
export interface Pattern {
  /** As it is written. */
  readonly source: string
  /** Whether it is anywhere in a text. */
  isIn(text: string): boolean
}

/**
 * Reads a pattern. Case does not count, `.` is any character of a line, `^` and `$` are the ends of the whole text; `(?-i)`, `(?s)` and
 * `(?m)` in front of it change that. Throws `TypeError` that says what is wrong with it.
 */
export function patternOf(source: string): Pattern {
  if (source.length > LONGEST_PATTERN) throw new TypeError(`at most ${LONGEST_PATTERN} characters`)
  const compiled = compile(source)
  if (compiled.programSize() > LARGEST_PROGRAM)
    throw new TypeError(
      'it is too large when its repetitions are written out; several values of the condition may be smaller',
    )
  return { source, isIn: (text) => compiled.test(text) }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source, RE2JS.CASE_INSENSITIVE)
  } catch (error) {
    if (error instanceof RE2JSException) throw new TypeError(reasonOf(source, error.message))
    throw error
  }
}

const NOT_LINEAR = /\\[1-9]|\\k[<{]|\(\?<?[=!]|\(\?>/

function reasonOf(source: string, message: string): string {
  const [unsupported] = NOT_LINEAR.exec(source) ?? []
  if (unsupported !== undefined)
    return `${unsupported} cannot be matched in bounded time (back-reference or look-around)`
  return message.replace(/^error parsing regexp: /, '')
}

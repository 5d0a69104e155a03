// SPDX-License-Identifier: MIT

/** What belongs to a word: letters with their marks, and digits. All else bounds words, `@`, `.`, `-` and `_` among them. */
const LETTER = /[\p{L}\p{M}\p{N}]/u
/** Characters that nobody sees: whoever hides a word puts them into it. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu

/** To order so many marks of one letter takes time that grows with their square; no script has more than 30 (UAX 15, section 13). */
const TOO_MANY_MARKS = /(\p{M}{30})\p{M}+/gu

/** A text in the form in which words are looked for in it. */
export function foldText(text: string): string {
  const isAscii = /^[\0-\x7f]*$/.test(text)
  const plain = isAscii ? text : text.replace(INVISIBLE, '').replace(TOO_MANY_MARKS, '$1').normalize('NFC')
  return plain.toLowerCase().replace(/\s+/g, ' ')
}

interface Word {
  readonly written: string
  readonly folded: string
  readonly startsWithLetter: boolean
  readonly endsWithLetter: boolean
}

/**
 * Words and phrases, looked for as wholes: `contoso` is in ` Contoso.` and not in `Acontoso`. Case does not count, nor how much white
 * space is between the words of a phrase. No character has a meaning of its own.
 */
export class Words {
  readonly #words: readonly Word[]

  constructor(words: readonly string[]) {
    this.#words = words.map((written) => {
      const folded = foldText(written).trim()
      return {
        written,
        folded,
        startsWithLetter: isLetter(characterAt(folded, 0)),
        endsWithLetter: isLetter(characterBefore(folded, folded.length)),
      }
    })
  }

  /** The first of them that is in a text, as it was written. The text is one that {@link foldText} gave. */
  in(folded: string): string | undefined {
    return this.#words.find((word) => isWhole(word, folded))?.written
  }
}

/** A word that begins with a letter needs something else in front of it; one that begins with `@` or `.` bounds itself. */
function isWhole({ folded: word, startsWithLetter, endsWithLetter }: Word, text: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const end = at + word.length
    if (startsWithLetter && isLetter(characterBefore(text, at))) continue
    if (endsWithLetter && isLetter(characterAt(text, end))) continue
    return true
  }
  return false
}

function isLetter(character: string): boolean {
  return LETTER.test(character)
}

function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at)
  return point === undefined ? '' : String.fromCodePoint(point)
}

function characterBefore(text: string, at: number): string {
  const isLow = at > 1 && /[\udc00-\udfff]/.test(text.charAt(at - 1))
  return text.slice(Math.max(at - (isLow ? 2 : 1), 0), at)
}

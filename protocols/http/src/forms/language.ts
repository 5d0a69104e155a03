// SPDX-License-Identifier: MIT
import { ar } from './texts/ar.js'
import { de } from './texts/de.js'
import { en } from './texts/en.js'
import { es } from './texts/es.js'
import { fr } from './texts/fr.js'
import type { Texts } from './texts/text.js'
import { zh } from './texts/zh.js'

/** The languages of the pages; the first serves who wants none of them. */
export const LANGUAGES: readonly [Texts, ...Texts[]] = [en, de, fr, es, zh, ar]

const BY_TAG = new Map(LANGUAGES.map((texts) => [texts.lang, texts]))
/** Browsers name a handful. */
const MOST_RANGES = 32

/** The texts in the language that the client likes best (RFC 9110 section 12.5.4), by the primary tag (RFC 4647 section 3.4). */
export function textsFor(acceptLanguage: string | undefined): Texts {
  let best: Texts | undefined
  let weight = 0
  for (const range of (acceptLanguage ?? '').split(',', MOST_RANGES)) {
    const [tag = '', ...parameters] = range.split(';')
    const texts = BY_TAG.get(tag.trim().split('-', 1)[0]?.toLowerCase() ?? '')
    const likes = weightOf(parameters)
    if (texts === undefined || likes <= weight) continue
    best = texts
    weight = likes
  }
  return best ?? LANGUAGES[0]
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const q = /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)
    if (q !== null) return Number(q[1])
  }
  return 1
}

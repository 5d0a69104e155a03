// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'

/** Longer values say nothing that is looked for here. */
const LONGEST = 1_024

/** The first field of a name without comments, in lower case; undefined where there is none, or none that is worth reading. */
export function textOf(fields: HeaderFields, name: string): string | undefined {
  const text = fields.first(name)?.text()
  return text === undefined || text.length > LONGEST ? undefined : withoutComments(text).trim().toLowerCase()
}

/** Comments (RFC 5322 section 3.2.2), of which those within others count as text: no value here has any. */
function withoutComments(text: string): string {
  return text.replace(/\([^()]*\)/g, ' ')
}

/** A count, such as seconds of a voice message or pages of a fax. */
export function numberOf(fields: HeaderFields, name: string): number | undefined {
  const digits = textOf(fields, name)
  return digits !== undefined && /^\d{1,10}$/.test(digits) ? Number(digits) : undefined
}

// SPDX-License-Identifier: MIT
import type { HeaderEdits, HeaderField, HeaderFields } from '../message/header-fields.js'
import { lenientName } from '../message/header-firewall.js'

/** What stands in front of the name of a field that nobody has to believe. */
export const UNTRUSTED = 'X-Untrusted-'
/** More fields than these are taken out and not kept under another name. */
const MOST_KEPT = 20
/** Octets of a value that are kept: a line has room for 998. */
const LONGEST_KEPT = 800
const LONGEST_NAME = 64

/** Fields that mail programs show a call by, whatever they say. */
const CALL_FIELDS = /^(?:x-callingtelephonenumber|x-callid|x-attachmentorder|x-voice.*|x-fax.*)$/
/** Of the classes of contents only these are those of calls. */
const CALL_CLASS = /^[^a-z0-9]*(?:voice|fax|missedcall)/

/** Whether a field claims that a message tells of a call, if only to a lenient reader. Message-Context is advice, and is left to all (RFC 3458 section 3). */
export function claimsCall(field: HeaderField): boolean {
  const name = lenientName(field)
  if (name === 'content-class') return CALL_CLASS.test(bare(field.text()))
  return CALL_FIELDS.test(name)
}

/** The claims of a message whose sender is not to be believed: they stay readable under another name. Undefined where there is none. */
export function disbelieved(fields: HeaderFields): (HeaderEdits & { readonly names: readonly string[] }) | undefined {
  const claims = fields.list.filter(claimsCall)
  if (claims.length === 0) return undefined
  const gone = new Set(claims)
  const kept = claims.slice(0, MOST_KEPT)
  return {
    names: kept.map(writtenName),
    remove: (field) => gone.has(field),
    prepend: kept.map((field) => `${UNTRUSTED}${writtenName(field)}: ${printable(field.text())}\r\n`),
  }
}

/** Its name as it is written, without what a lenient reader skips. */
function writtenName({ rawName }: HeaderField): string {
  return rawName.replace(/[^!-~]+/g, '').slice(0, LONGEST_NAME)
}

/** Without comments, quotes and whatever a lenient reader skips. */
function bare(text: string): string {
  return text
    .slice(0, 256)
    .replace(/\([^()]*\)/g, '')
    .toLowerCase()
}

function printable(text: string): string {
  return text.slice(0, LONGEST_KEPT).replace(/[^ -~]/g, '?')
}

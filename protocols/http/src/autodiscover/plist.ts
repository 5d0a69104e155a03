// SPDX-License-Identifier: MIT
import { type Content, document, element, type Markup } from './markup.js'

/** What a property list may hold, as far as profiles need it; keys whose value is `undefined` are left out. */
export type PlistValue = string | number | boolean | readonly PlistValue[] | PlistDictionary

export interface PlistDictionary {
  readonly [key: string]: PlistValue | undefined
}

const DOCTYPE = '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">'

/** An XML property list. Numbers are integers. */
export function plistText(root: PlistDictionary): string {
  return document(element('plist', markupOf(root), { version: '1.0' }), DOCTYPE)
}

function markupOf(value: PlistValue): Markup {
  switch (typeof value) {
    case 'string':
      return element('string', value)
    case 'number':
      return element('integer', String(value))
    case 'boolean':
      return element(String(value), undefined)
    default:
      return isList(value) ? element('array', value.map(markupOf)) : element('dict', entriesOf(value))
  }
}

function isList(value: readonly PlistValue[] | PlistDictionary): value is readonly PlistValue[] {
  return Array.isArray(value)
}

function entriesOf(dictionary: PlistDictionary): Content {
  return Object.entries(dictionary).map(([key, value]) =>
    value === undefined ? undefined : [element('key', key), markupOf(value)],
  )
}

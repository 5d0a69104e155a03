// SPDX-License-Identifier: MIT
// The one file that knows fast-xml-parser.
import { XMLParser, XMLValidator } from 'fast-xml-parser'

/** One element of a document, without its attributes: nothing that we read says anything by one. */
export interface XmlElement {
  /** With `https://schemas.microsoft.com` written as `http://`: some published copies of the schemas have it so. */
  readonly namespace: string
  /** Without its prefix. */
  readonly name: string
  /** Its own text, references resolved, without white space around it. */
  readonly text: string
  readonly children: readonly XmlElement[]
}

/** Levels of elements; a question in SOAP has seven. */
const DEEPEST = 32
/** Elements of a document; a question about many users has some hundreds. */
const MOST_ELEMENTS = 1000
/** Equals signs of a document: its attributes are never more. */
const MOST_ATTRIBUTES = 200

const CDATA = '#cdata'
const TEXT = '#text'
const ATTRIBUTES = ':@'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  cdataPropName: CDATA,
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: DEEPEST,
})

/**
 * Reads a document (XML 1.0) in UTF-8. `undefined` for one that is not well-formed, has a DOCTYPE (and so perhaps entities of its own),
 * references that XML itself does not know, prefixes without a namespace, or too many elements, levels of them or attributes. Never throws.
 */
export function readXml(octets: Uint8Array): XmlElement | undefined {
  const text = decode(octets)
  if (text === undefined || /<!(?!--|\[CDATA\[)/.test(text)) return undefined
  // The parser passes over what stands beside the root.
  if (!/^\s*</.test(text) || !text.trimEnd().endsWith('>')) return undefined
  // Nothing that is asked for holds spaces that XML does not know, and the parser's expressions take long over many of them.
  if (/[^\S \t\r\n]/.test(text)) return undefined
  // Asked before the parser, which takes its time over each of them.
  if (countOf(text, '<') > 2 * MOST_ELEMENTS + DEEPEST || countOf(text, '=') > MOST_ATTRIBUTES) return undefined
  try {
    if (XMLValidator.validate(text) !== true) return undefined
    return new Reader().root(parser.parse(text))
  } catch {
    return undefined
  }
}

function countOf(text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count += 1
  return count
}

/** What XML 1.0 has no place for (section 2.2). */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

function decode(octets: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(octets)
    return FORBIDDEN.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** A node as the parser has it: its name with its children, or its text; attributes beside them. */
type Node = Readonly<Record<string, unknown>>
type Scope = ReadonlyMap<string, string>

const NO_NAMESPACES: Scope = new Map([['', '']])

class Reader {
  #elements = 0

  root(parsed: unknown): XmlElement | undefined {
    const roots = nodesOf(parsed).filter((node) => nameOf(node) !== undefined)
    const [root] = roots
    if (root === undefined || roots.length > 1) return undefined
    return this.#element(root, NO_NAMESPACES, 1)
  }

  /** Throws for what makes the document unreadable. */
  #element(node: Node, outer: Scope, depth: number): XmlElement {
    this.#elements += 1
    if (this.#elements > MOST_ELEMENTS || depth > DEEPEST) throw new Error('too many elements')
    const written = nameOf(node) ?? ''
    const scope = scopeOf(node[ATTRIBUTES], outer)
    const [prefix, name] = partsOf(written)
    const namespace = scope.get(prefix)
    if (namespace === undefined) throw new Error('no such namespace')
    const inner = nodesOf(node[written])
    const children = inner.filter((child) => nameOf(child) !== undefined)
    return {
      namespace,
      name,
      text: inner.map(ownText).join('').trim(),
      children: children.map((child) => this.#element(child, scope, depth + 1)),
    }
  }
}

function nodesOf(value: unknown): readonly Node[] {
  return Array.isArray(value) ? (value as readonly Node[]) : []
}

function nameOf(node: Node): string | undefined {
  return Object.keys(node).find((key) => key !== TEXT && key !== CDATA && key !== ATTRIBUTES)
}

function ownText(node: Node): string {
  if (typeof node[TEXT] === 'string') return resolved(node[TEXT])
  return nodesOf(node[CDATA])
    .map((part) => String(part[TEXT] ?? ''))
    .join('')
}

function partsOf(written: string): readonly [string, string] {
  const [first = '', second, ...more] = written.split(':')
  if (more.length > 0) throw new Error('two colons')
  return second === undefined ? ['', first] : [first, second]
}

/** The namespaces that hold within an element (Namespaces in XML, section 6). */
function scopeOf(attributes: unknown, outer: Scope): Scope {
  const declared = Object.entries((attributes ?? {}) as Readonly<Record<string, unknown>>).flatMap(([key, value]) => {
    const prefix = key === 'xmlns' ? '' : key.startsWith('xmlns:') ? key.slice(6) : undefined
    if (prefix === undefined) return []
    const uri = resolved(String(value)).trim()
    return [[prefix, uri.replace(/^https:\/\/schemas\.microsoft\.com\//, 'http://schemas.microsoft.com/')] as const]
  })
  return declared.length === 0 ? outer : new Map([...outer, ...declared])
}

const KNOWN: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Text without references (XML 1.0 section 4.1). Throws for one that is none. */
function resolved(text: string): string {
  return text.replace(/&([^;]*)(;?)/g, (_, name: string, end: string) => {
    const digits = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name)
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined
    const character = digits === null ? known : characterOf(digits)
    if (end === '' || character === undefined) throw new Error('no such entity')
    return character
  })
}

function characterOf([, hexadecimal, decimal]: RegExpExecArray): string | undefined {
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined
  const character = String.fromCodePoint(code)
  return FORBIDDEN.test(character) ? undefined : character
}

/** The first child of that name in that namespace. */
export function childOf(element: XmlElement | undefined, namespace: string, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name && child.namespace === namespace)
}

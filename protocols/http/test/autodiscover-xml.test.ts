// SPDX-License-Identifier: MIT
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { document, element, elements } from '../src/autodiscover/markup.js'
import { readXml, type XmlElement } from '../src/autodiscover/xml.js'

const read = (text: string) => readXml(Buffer.from(text))

/** An element as `{namespace}name(text;children)`. */
function shown({ namespace, name, text, children }: XmlElement): string {
  return `{${namespace}}${name}(${[text, ...children.map(shown)].join(';')})`
}

describe('documents that are read', () => {
  test.each<[string, string, string]>([
    ['a default namespace holds for what is inside', '<a xmlns="u:x"><b>1</b></a>', '{u:x}a(;{u:x}b(1))'],
    ['prefixes', '<p:a xmlns:p="u:x" xmlns="u:y"><b/><p:c/></p:a>', '{u:x}a(;{u:y}b();{u:x}c())'],
    ['a namespace that is declared anew', '<a xmlns="u:x"><b xmlns="u:y"/><c/></a>', '{u:x}a(;{u:y}b();{u:x}c())'],
    [
      'https, as some copies of the schemas have it',
      '<a xmlns="https://schemas.microsoft.com/z"/>',
      '{http://schemas.microsoft.com/z}a()',
    ],
    ['white space around text', '<a>\n  kim@example.com\r\n</a>', '{}a(kim@example.com)'],
    ['the references that XML has', '<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>', `{}a(<&>"'AB)`],
    ['a section of characters', '<a><![CDATA[<b>&amp;]]></a>', '{}a(<b>&amp;)'],
    ['a byte order mark and a declaration', '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<a/>', '{}a()'],
    ['comments and instructions', '<!-- x --><?y z?><a><!-- & --></a>', '{}a()'],
  ])('%s', (_, text, expected) => {
    const root = read(text)
    expect(root && shown(root)).toBe(expected)
  })
})

describe('documents that are not', () => {
  test.each<[string, string]>([
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['a DOCTYPE in another case', '<!doctype a><a/>'],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['entities that grow', '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>'],
    ['an entity that nobody has declared', '<a>&nbsp;</a>'],
    ['one that is named like what every object has', '<a>&constructor;</a>'],
    ['an ampersand', '<a>a & b</a>'],
    ['a character that XML has no place for', '<a>&#0;</a>'],
    ['half a character', '<a>&#xD800;</a>'],
    ['a control character', '<a>\u0001</a>'],
    ['tags that do not match', '<a><b></a></b>'],
    ['no end', '<a><b>'],
    ['a space that XML does not know', '<a b\u00a0=""/>'],
    ['two roots', '<a/><b/>'],
    ['text beside the root', '<a/>text'],
    ['a prefix without a namespace', '<p:a/>'],
    ['a prefix of a prefix', '<p:q:a xmlns:p="u:x"/>'],
    ['too many levels', `${'<a>'.repeat(33)}${'</a>'.repeat(33)}`],
    ['very many levels', `${'<a>'.repeat(9000)}${'</a>'.repeat(9000)}`],
    ['too many elements', `<a>${'<b/>'.repeat(1000)}</a>`],
    ['too many attributes', `<a ${Array.from({ length: 201 }, (_, index) => `b${index}=""`).join(' ')}/>`],
    ['nothing', ''],
    ['text alone', 'kim@example.com'],
    ['a name that could reach what every object has', '<__proto__>1</__proto__>'],
  ])('%s', (_, text) => expect(read(text)).toBeUndefined())

  test('octets that are no UTF-8', () => expect(readXml(Buffer.from([0x3c, 0x61, 0x2f, 0x3e, 0xff]))).toBeUndefined())
})

test('any octets are read or not, and nothing is thrown', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readXml(octets)))
  const pieces = fc.array(
    fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ':',
      '=',
      '"',
      ' ',
      '&',
      ';',
      '#',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '<a>',
      '</a>',
      '\u0000',
      'xmlns',
    ),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(pieces, (parts) => void read(parts.join(''))),
    { numRuns: 1000 },
  )
})

test('what is written is read again as it was', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((made) => !/[^\S \t\r\n]|={9}/.test(made))
  fc.assert(
    fc.property(text, text, (one, other) => {
      const root = element('a', elements({ b: one, c: other }), { xmlns: 'u:x', d: one })
      const back = readXml(Buffer.from(document(root)))
      const expected = (value: string) =>
        // What XML cannot hold becomes a replacement character.
        value.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd').trim()
      expect(back?.children.map((child) => child.text)).toEqual([expected(one), expected(other)])
    }),
    { numRuns: 500 },
  )
})

// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest'
import { safeDestination } from '../src/forms/destination.js'
import { LANGUAGES, textsFor } from '../src/forms/language.js'
import { pageText } from '../src/forms/page.js'
import { formsSchema } from '../src/forms/schema.js'
import { STYLE } from '../src/forms/style.js'

describe('where a sign-in may lead to', () => {
  test.each([
    '/',
    '/owa/',
    '/owa/mail?id=7&to=%2Fx',
    '/owa/a%20b',
    "/x/!$&'()*+,;=:@-._~",
    '/owa/?u=https://else.test/',
  ])('%s', (path) => {
    expect(safeDestination(path)).toBe(path)
  })

  test('is brought into its one form', () => {
    expect(safeDestination('/owa//mail/%7Ealice')).toBe('/owa/mail/~alice')
  })

  test.each([
    'https://evil.test/',
    'HTTP://evil.test',
    '//evil.test/',
    '///evil.test/',
    '/\\evil.test/',
    '\\\\evil.test/',
    '/owa\\..\\x',
    '/%2F/evil.test',
    '/%2f%2fevil.test',
    '/%5Cevil.test',
    '/owa/%252F%252Fevil.test',
    '/\tevil.test',
    '/owa\r\nSet-Cookie: a=b',
    '/owa?x=%0d%0aSet-Cookie:a=b',
    '/owa/%00',
    '/owa/../../x',
    '/owa/%2e%2e/x',
    '/owa/..;/x',
    '/owa/#/x',
    '/owä/',
    ' /owa/',
    'owa/',
    'javascript:alert(1)',
    'data:text/html,x',
    '?x',
    '',
    '*',
    `/${'x'.repeat(3000)}`,
  ])('not %j', (text) => {
    expect(safeDestination(text)).toBeUndefined()
  })
})

describe('the language', () => {
  test.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT, en;q=0.8', 'de'],
    ['it, fr;q=0.5, en;q=0.4', 'fr'],
    ['en;q=0.4, es;q=0.9', 'es'],
    ['zh-Hans-CN, zh;q=0.9', 'zh'],
    ['AR-eg', 'ar'],
    ['de;q=0, en', 'en'],
    ['*', 'en'],
    ['de;q=nonsense', 'de'],
    [`${'x,'.repeat(10_000)}de`, 'en'],
  ])('%s is answered in %s', (field, lang) => {
    expect(textsFor(field).lang).toBe(lang)
  })

  test('each of the six says everything in its own words', () => {
    const english = LANGUAGES[0]
    for (const texts of LANGUAGES) {
      for (const [name, text] of Object.entries(texts)) {
        expect(text, `${texts.lang} ${name}`).not.toBe('')
        const same = ['dir', 'error'].includes(name) || texts === english
        if (!same) expect(text, `${texts.lang} ${name}`).not.toBe(english[name as keyof typeof english])
      }
    }
    expect(LANGUAGES.map(({ lang, dir }) => `${lang} ${dir}`).join()).toBe('en ltr,de ltr,fr ltr,es ltr,zh ltr,ar rtl')
  })
})

describe('the page', () => {
  const page = (more: object = {}) =>
    pageText({
      texts: textsFor('ar'),
      settings: formsSchema.parse({ title: '<Mail & "more">' }),
      mount: '/owa',
      destination: '/owa/?a=1&b="><script>alert(1)</script>',
      token: 't',
      user: '',
      message: undefined,
      ...more,
    })

  test('shows what it was given as text, never as markup', () => {
    expect(page()).toContain('&#60;Mail &#38; &#34;more&#34;&#62;')
    expect(page()).not.toContain('<script')
  })

  test('shows the name that was filled in before, as text, and asks for the password next', () => {
    const text = page({ user: 'al"ice<b>' })
    expect(text).toMatch(/id="username"[^>]* value="al&#34;ice&#60;b&#62;" required>/)
    expect(text).toMatch(/id="password"[^>]* autofocus>/)
    expect(page()).toMatch(/id="username"[^>]* value="" required autofocus>/)
  })

  test('says its language and direction, and names each field by a label of its own', () => {
    const text = page({ message: { text: textsFor('ar').wrong, failure: true } })
    expect(text).toContain('<html lang="ar" dir="rtl">')
    for (const name of ['username', 'password']) {
      expect(text).toContain(`<label for="${name}">`)
      expect(text).toMatch(new RegExp(`<input [^>]*id="${name}"[^>]* aria-describedby="message" aria-invalid="true">`))
    }
    expect(text).toMatch(/<p id="message"[^>]* role="alert">/)
    expect(text).toContain('<title>خطأ: ')
    expect(text).toContain('name="viewport" content="width=device-width, initial-scale=1"')
  })

  test('leaves the question for the computer out where the site says so', () => {
    expect(page()).toContain('type="radio"')
    expect(page({ settings: formsSchema.parse({ publicPrivateChoice: false }) })).not.toContain('type="radio"')
  })

  test.each([
    ['principalName', 'E-mail address or user name'],
    ['userName', 'User name'],
    ['fullDomain', 'Domain\\user name'],
  ])('asks for a name as %s has it', (logonFormat, label) => {
    const settings = formsSchema.parse({ logonFormat })
    expect(page({ texts: textsFor('en'), settings })).toContain(`<label for="username">${label}</label>`)
  })

  test('has colours that can be read, in light and in dark (WCAG 2.2, 1.4.3)', () => {
    for (const block of STYLE.match(/:root\{[^}]*\}/g) ?? []) {
      const colour = (name: string) => new RegExp(`--${name}:(#[0-9a-f]+)`).exec(block)?.[1] ?? ''
      const pairs = [
        ['text', 'card'],
        ['soft', 'card'],
        ['text', 'note-ground'],
        ['bad', 'bad-ground'],
        ['on-main', 'main'],
      ] as const
      for (const [front, ground] of pairs) {
        expect(contrast(colour(front), colour(ground)), `${front} on ${ground}`).toBeGreaterThan(4.5)
      }
      expect(contrast(colour('line'), colour('card'))).toBeGreaterThan(3)
    }
  })
})

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1)
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

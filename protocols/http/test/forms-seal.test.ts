// SPDX-License-Identifier: MIT
import { NEVER, Secret, systemClock } from '@portico/base'
import { createMemoryStore } from '@portico/state'
import { describe, expect, test } from 'vitest'
import { configuredRing, type KeyRing } from '../src/forms/key-ring.js'
import { isPageToken, pageToken } from '../src/forms/page-token.js'
import { open, type SealPlace, seal } from '../src/forms/seal.js'
import { sharedRing } from '../src/forms/shared-ring.js'
import { newId, type Ticket } from '../src/forms/ticket.js'

const MINUTE = 60_000
const TIMEOUTS = { public: 10 * MINUTE, private: 60 * MINUTE }
/** The beginning of a half timeout of both kinds. */
const START = Date.UTC(2026, 0, 1)
const PLACE: SealPlace = { cookie: '__Host-portico-sign-in', host: 'mail.example.com', at: START }
const TICKET: Ticket = {
  id: newId(),
  authTime: START,
  deferred: false,
  earlier: {
    authcid: 'alice',
    user: 'alice@example.com',
    mechanism: 'FORMS',
    strength: 'plain',
    source: 'users',
    epoch: '1',
    password: new Secret('pässwort'),
  },
}
const ring = configuredRing(['one key of the site, and a long one'])

async function sealed(by: KeyRing = ring, place: SealPlace = PLACE): Promise<string> {
  return seal(by, TIMEOUTS, 'public', TICKET, place)
}

describe('a sealed cookie', () => {
  test('opens to what was sealed', async () => {
    const opened = await open(ring, TIMEOUTS, await sealed(), PLACE)
    expect(opened).toMatchObject({ kind: 'open', computer: 'public', old: false })
    if (opened.kind !== 'open') return
    const { password, ...earlier } = opened.ticket.earlier
    expect(password?.expose()).toBe('pässwort')
    expect({ ...opened.ticket, earlier }).toEqual({ ...TICKET, earlier: { ...TICKET.earlier, password: undefined } })
  })

  test('is never the same twice, and shows neither name nor password', async () => {
    const one = await sealed()
    expect(one).not.toBe(await sealed())
    const octets = Buffer.from(one, 'base64url').toString('latin1')
    expect(octets).not.toMatch(/alice|FORMS|wort/)
    expect(one).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  test.each([
    ['in the half timeout that it was made in', 5 * MINUTE - 1, 'open', false],
    ['in the next', 5 * MINUTE, 'open', true],
    ['in the one after it, one and a half timeouts in all', 15 * MINUTE - 1, 'open', true],
    ['then no more', 15 * MINUTE, 'expired', undefined],
    ['by a node whose clock is a little behind', -1, 'open', false],
    ['made long in the future: not', -6 * MINUTE, 'bad', undefined],
  ])('opens %s', async (_label, later, kind, old) => {
    expect(await open(ring, TIMEOUTS, await sealed(), { ...PLACE, at: START + later })).toMatchObject(
      old === undefined ? { kind } : { kind, old },
    )
  })

  test.each([
    ['on another host', { ...PLACE, host: 'evil.example.com' }],
    ['under another name', { ...PLACE, cookie: 'portico-sign-in' }],
  ])('does not open %s', async (_label, place) => {
    expect(await open(ring, TIMEOUTS, await sealed(), place)).toEqual({ kind: 'bad' })
  })

  test('does not open when any octet of it is another, and what is none of ours is no reason to fail', async () => {
    const octets = Buffer.from(await sealed(), 'base64url')
    for (let at = 0; at < octets.length; at += 1) {
      const changed = Buffer.from(octets)
      changed[at] = (changed[at] ?? 0) ^ 1
      const opened = await open(ring, TIMEOUTS, changed.toString('base64url'), PLACE)
      expect(opened.kind, `octet ${at}`).not.toBe('open')
    }
    for (const text of ['', 'x', 'AQ', '='.repeat(400), 'é', octets.subarray(0, 37).toString('base64url')]) {
      expect(await open(ring, TIMEOUTS, text, PLACE)).toEqual({ kind: 'bad' })
    }
  })

  test('made for a public computer does not become one for a private', async () => {
    const octets = Buffer.from(await sealed(), 'base64url')
    octets[1] = 1
    expect((await open(ring, TIMEOUTS, octets.toString('base64url'), PLACE)).kind).not.toBe('open')
  })
})

describe('keys', () => {
  const [old, next] = ['the key of last year, which is long enough', 'the key of this year, which is long enough']

  test('a new first key seals, and what the old one sealed still opens while it is listed', async () => {
    const before = await sealed(configuredRing([old]))
    const both = configuredRing([next, old])
    expect((await open(both, TIMEOUTS, before, PLACE)).kind).toBe('open')
    const after = await sealed(both)
    expect((await open(configuredRing([next]), TIMEOUTS, after, PLACE)).kind).toBe('open')
    expect((await open(configuredRing([next]), TIMEOUTS, before, PLACE)).kind).toBe('bad')
  })

  test('nodes that share a store open what the other sealed, whichever asked first', async () => {
    const state = createMemoryStore({ clock: systemClock })
    const [one, other] = [sharedRing(state, MINUTE), sharedRing(state, MINUTE)]
    const [byOne, byOther] = await Promise.all([sealed(one), sealed(other)])
    expect((await open(other, TIMEOUTS, byOne, PLACE)).kind).toBe('open')
    expect((await open(one, TIMEOUTS, byOther, PLACE)).kind).toBe('open')
    const stranger = sharedRing(createMemoryStore({ clock: systemClock }), MINUTE)
    expect((await open(stranger, TIMEOUTS, byOne, PLACE)).kind).toBe('bad')
  })

  test('a shared secret serves for a day, and opens across the change', async () => {
    const state = createMemoryStore({ clock: systemClock })
    const late = { ...PLACE, at: START + 24 * 60 * MINUTE - 1 }
    const before = await sealed(sharedRing(state, MINUTE), late)
    const next = { ...PLACE, at: START + 24 * 60 * MINUTE }
    const node = sharedRing(state, MINUTE)
    expect((await open(node, TIMEOUTS, before, next)).kind).toBe('open')
    const ids = [before, await sealed(node, next)].map((text) =>
      Buffer.from(text, 'base64url').subarray(2, 6).toString('hex'),
    )
    expect(ids[0]).not.toBe(ids[1])
  })

  test('without the store nothing is sealed or opened, and it is asked again', async () => {
    const inner = createMemoryStore({ clock: systemClock })
    let away = true
    const state = {
      ...inner,
      get: async (key: string) => (away ? ({ kind: 'unavailable' } as const) : inner.get(key, NEVER)),
    }
    const node = sharedRing(state, MINUTE)
    expect(await sealed(node)).toBe('unavailable')
    expect(await open(node, TIMEOUTS, await sealed(), PLACE)).toEqual({ kind: 'unavailable' })
    away = false
    expect((await open(node, TIMEOUTS, await sealed(node), PLACE)).kind).toBe('open')
  })
})

describe("a page's token", () => {
  const page: SealPlace = { ...PLACE, cookie: '__Host-portico-page' }
  const HOUR = 60 * MINUTE

  test.each([
    ['the cookie that came with it', 'cookie', page, true],
    ['another cookie', 'other', page, false],
    ['another host', 'cookie', { ...page, host: 'evil.example.com' }, false],
    ['eight hours later', 'cookie', { ...page, at: START + 8 * HOUR }, true],
    ['a day later', 'cookie', { ...page, at: START + 24 * HOUR }, false],
  ] as const)('for %s', async (_label, cookie, place, good) => {
    const token = await pageToken(ring, 'cookie', page)
    expect(await isPageToken(ring, token, cookie, place)).toBe(good)
  })

  test.each(['', '.', '..', 'AAAAAA.1.x', '.NaN.', `${'x'.repeat(9000)}`])('%j is none', async (token) => {
    expect(await isPageToken(ring, token, 'cookie', page)).toBe(false)
  })
})

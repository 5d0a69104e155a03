// SPDX-License-Identifier: MIT
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from './key-ring.js'
import { epochOf, type SealPlace } from './seal.js'

/** A sign-in page may stay open so long before it is used, up to half of it longer. */
const PAGE_LIFE = 8 * 3_600_000

/**
 * The token that a page carries for the cookie which came with it. Only a page that we gave to this browser has both, so that
 * nobody signs somebody else's browser in (login CSRF).
 */
export async function pageToken(ring: KeyRing, cookie: string, place: SealPlace): Promise<string | 'unavailable'> {
  const epoch = epochOf(place.at, PAGE_LIFE)
  const root = await ring.sealing(epoch * (PAGE_LIFE / 2))
  return root === 'unavailable' ? root : tokenOf(root.id, root.key('page', epoch), epoch, cookie, place)
}

/** Whether a token is one that we gave out for this cookie, not too long ago. */
export async function isPageToken(
  ring: KeyRing,
  token: string,
  cookie: string,
  place: SealPlace,
): Promise<boolean | 'unavailable'> {
  const [id = '', written = ''] = token.split('.')
  const epoch = Number(written)
  const now = epochOf(place.at, PAGE_LIFE)
  if (!/^\d{1,10}$/.test(written) || epoch < now - 2 || epoch > now + 1) return false
  const root = await ring.opening(Buffer.from(id, 'base64url'), epoch * (PAGE_LIFE / 2))
  if (root === 'unavailable') return root
  if (root === undefined) return false
  const expected = Buffer.from(tokenOf(root.id, root.key('page', epoch), epoch, cookie, place))
  const shown = Buffer.from(token)
  return shown.length === expected.length && timingSafeEqual(shown, expected)
}

function tokenOf(id: Buffer, key: Buffer, epoch: number, cookie: string, place: SealPlace): string {
  const digest = createHmac('sha256', key).update(`${place.cookie}\n${place.host}\n${cookie}`).digest('base64url')
  return `${id.toString('base64url')}.${epoch}.${digest}`
}

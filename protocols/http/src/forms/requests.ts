// SPDX-License-Identifier: MIT
import type { Visit } from './visit.js'

/** The parts of a visit that tell what kind of client asks. */
type Asking = Pick<Visit, 'request' | 'field' | 'encrypted'>

/** Whether a person is to see the answer in a window of their own, and not a program of the page (Fetch Metadata). */
export function isNavigation(visit: Asking): boolean {
  const mode = visit.field('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  const { method } = visit.request.head
  if (method !== 'GET' && method !== 'HEAD') return false
  return visit.field('x-requested-with') === undefined && /\btext\/html\b/i.test(visit.field('accept') ?? '')
}

/** Whether a browser asks, one that says so. */
export function isBrowser(visit: Asking): boolean {
  return visit.field('sec-fetch-mode') !== undefined || visit.field('sec-fetch-site') !== undefined
}

/** Whether a form comes from a page of this origin, as far as the client says where it comes from. */
export function isSameOrigin(visit: Asking): boolean {
  const site = visit.field('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') return false
  const origin = visit.field('origin')?.toLowerCase()
  const host = visit.request.authority?.toLowerCase()
  if (origin === undefined) return true
  // Who ends TLS in front of us may not have been told to us.
  return origin === `https://${host}` || (!visit.encrypted && origin === `http://${host}`)
}

/** Whether another site has led the browser here. */
export function isCrossSite(visit: Asking): boolean {
  return visit.field('sec-fetch-site') === 'cross-site'
}

/** Whether a program asks on its own account and nobody has touched anything: such a request keeps nobody signed in. */
export function isAutomatic(query: URLSearchParams): boolean {
  return query.get('UA') === '0'
}

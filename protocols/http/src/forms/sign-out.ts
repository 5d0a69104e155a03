// SPDX-License-Identifier: MIT
import type { Outcome } from '../outcome.js'
import { statusReply } from '../replies.js'
import { answered, destinationOf, ours, redirected, toLogon, withoutSignIn } from './answers.js'
import { REASON } from './paths.js'
import { isCrossSite } from './requests.js'
import { open } from './seal.js'
import type { Visit } from './visit.js'

/** No other page of a browser's memory is shown to who comes next at the computer. */
export const FORGET_PAGES = 'Clear-Site-Data: "cache"\r\n'

/**
 * Ends the sign-in of this browser, so that its cookie is of no use to anybody who has kept it; with `all=1` in the query, all that
 * its user has anywhere.
 */
export async function signOut(visit: Visit): Promise<Outcome> {
  const { method } = visit.request.head
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
    return answered(ours(visit, statusReply(405, 'Allow: GET, HEAD, POST\r\n')))
  }
  // Another site must not sign people out.
  if (isCrossSite(visit)) return answered(redirected(visit, destinationOf(visit, undefined), ''))
  await visit.connection.shared.binding.forget()
  await endSignIn(visit)
  return answered(toLogon(visit, REASON.signedOut, undefined, withoutSignIn(visit) + FORGET_PAGES))
}

/**
 * Ends the sign-in that the visit's cookie names, if it names one. Only who is signed in may end what others of that name have: with
 * an unjudged password anybody may say to be anybody, and a cookie that has been ended may be in foreign hands.
 */
export async function endSignIn(visit: Visit): Promise<void> {
  const { forms, names, connection } = visit
  const sealed = visit.cookie(names.signIn)
  if (sealed === undefined) return
  const opened = await open(forms.ring, forms.timeouts, sealed, visit.place(names.signIn))
  if (opened.kind !== 'open') return
  const { ticket, computer } = opened
  const { user } = ticket.earlier
  const asked = visit.query.get('all') === '1'
  const everywhere = asked && !ticket.deferred && !(await forms.revocations.hasEnded(ticket))
  const told = everywhere
    ? await forms.revocations.endAll(user, visit.now, forms.settings.longest)
    : await forms.revocations.end(ticket, 2 * forms.timeouts[computer])
  const { session } = connection
  const facts = { session: session.id, user, everywhere }
  session.services.log.info('signed out', facts)
  if (!told) session.services.log.warn('other processes do not know of a sign-out', facts)
}

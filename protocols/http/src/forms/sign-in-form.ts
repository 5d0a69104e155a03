// SPDX-License-Identifier: MIT
import type { Authenticated, AuthFailed } from '@portico/auth'
import type { Principal } from '@portico/base'
import { holdBack, weightOf } from '@portico/session'
import type { Connection } from '../client/connection.js'
import type { Outcome } from '../outcome.js'
import { failureReply, statusReply } from '../replies.js'
import { ownRoute } from '../routing/route-for.js'
import { answered, destinationOf, type Message, ours, pageAnswer, redirected, toLogon } from './answers.js'
import { dropCookie, LONGEST_COOKIE, setCookie } from './cookies.js'
import { isPageToken } from './page-token.js'
import { REASON } from './paths.js'
import { readForm } from './read-form.js'
import { isSameOrigin } from './requests.js'
import { type Computer, seal } from './seal.js'
import { newId, type Ticket } from './ticket.js'
import { handOver } from './user-name.js'
import type { Visit } from './visit.js'

/** Takes a filled-in form: is it from a page of ours, and is the password right? */
export async function submit(visit: Visit): Promise<Outcome> {
  const { connection, request } = visit
  const { method } = request.head
  if (method === 'GET' || method === 'HEAD') return answered(toLogon(visit, REASON.none, undefined))
  if (method !== 'POST') return answered(ours(visit, statusReply(405, 'Allow: POST\r\n')))
  if (!isSameOrigin(visit)) return answered(ours(visit, statusReply(403)), false)
  const form = await readForm(connection, request, visit.field('content-type'))
  if (form === 'gone') return { kind: 'gone' }
  if (typeof form === 'string') return answered(ours(visit, statusReply(BAD_FORMS[form])), false)
  const known = await isFromOurPage(visit, form)
  if (known === 'unavailable') return unavailable(visit, form)
  return known ? authenticate(visit, form) : failurePage(visit, form, 200, 'stalePage')
}

const BAD_FORMS = { 'not-a-form': 415, 'too-long': 413, broken: 400 } as const

async function isFromOurPage(visit: Visit, form: URLSearchParams): Promise<boolean | 'unavailable'> {
  const { page } = visit.names
  const cookie = visit.cookie(page)
  if (cookie === undefined) return false
  return isPageToken(visit.forms.ring, form.get('token') ?? '', cookie, visit.place(page))
}

async function authenticate(visit: Visit, form: URLSearchParams): Promise<Outcome> {
  const { connection } = visit
  const { session } = connection
  const { authenticator } = session.services
  const user = withDomain(form.get('username')?.trim() ?? '', visit)
  const password = form.get('password') ?? ''
  session.record.begin()
  const shown = { user, password, scheme: 'FORMS' } as const
  const outcome = await authenticator.login(shown, connection.context, session.signal)
  session.record.finish('authenticate')
  if (session.signal.aborted) return { kind: 'gone' }
  if (outcome.kind === 'failed') return refused(visit, form, outcome)
  // Whoever has filled in the form is no longer the one whom a handshake has bound to the connection.
  await connection.shared.binding.forget()
  connection.failures = 0
  session.record.user = outcome.principal.user
  session.record.mechanism = outcome.principal.mechanism
  return welcome(visit, form, outcome)
}

/** A name that is shown without a domain gets the site's. */
function withDomain(user: string, { forms: { settings } }: Visit): string {
  const { defaultDomain } = settings
  return defaultDomain === undefined || /[@\\]/.test(user) || user === '' ? user : `${user}@${defaultDomain}`
}

async function refused(visit: Visit, form: URLSearchParams, outcome: AuthFailed): Promise<Outcome> {
  const { connection } = visit
  const { session } = connection
  if (weightOf(outcome.reason) === 'failure') connection.failures += 1
  session.record.user ??= outcome.user
  if (outcome.reason !== 'throttled') await holdBack(session, outcome.waitMs)
  const persist = connection.failures < session.services.limits.failures
  switch (outcome.reason) {
    case 'throttled': {
      const { status, fields } = failureReply('throttled', { waitMs: outcome.waitMs })
      return failurePage(visit, form, status, 'throttled', { persist, fields })
    }
    case 'lookup-unavailable':
      return unavailable(visit, form, persist)
    case 'password-expired':
      return failurePage(visit, form, 403, 'passwordExpired', { persist })
    case 'account-disabled':
    case 'protocol-disabled':
    case 'network-refused':
    case 'mechanism-unavailable':
      return failurePage(visit, form, 403, 'refused', { persist })
    default: {
      const user = handOver(visit.names, form.get('username'))
      return answered(toLogon(visit, REASON.wrong, destinationOf(visit, form.get('destination')), user), persist)
    }
  }
}

/** Nobody can say who this is at the moment. */
function unavailable(visit: Visit, form: URLSearchParams, persist = true): Promise<Outcome> {
  const { status, fields } = failureReply('lookup-unavailable')
  return failurePage(visit, form, status, 'unavailable', { persist, fields })
}

/** The page again, with what went wrong. */
function failurePage(
  visit: Visit,
  form: URLSearchParams,
  status: number,
  text: Message['text'],
  { persist = true, fields = '' }: { persist?: boolean; fields?: string } = {},
): Promise<Outcome> {
  const message = { text, failure: true }
  const user = form.get('username')
  return answered(pageAnswer(visit, form.get('destination'), { status, message, fields, user }), persist)
}

async function welcome(visit: Visit, form: URLSearchParams, outcome: Authenticated): Promise<Outcome> {
  const { names, forms } = visit
  // Nothing is asked of a backend here: its verdict on a deferred password is that of the first request.
  if (outcome.deferred) await outcome.settle('unknown')
  const keeps = outcome.deferred || (await needsPassword(visit.connection, outcome.principal))
  const ticket = ticketOf(outcome, keeps, visit.now)
  const sealed = await seal(forms.ring, forms.timeouts, computerOf(visit, form), ticket, visit.place(names.signIn))
  if (sealed === 'unavailable') return unavailable(visit, form)
  const cookie = setCookie(names.signIn, sealed, names, 'Lax')
  if (cookie.length > LONGEST_COOKIE) return failurePage(visit, form, 403, 'refused')
  const destination = destinationOf(visit, form.get('destination'))
  return answered(redirected(visit, destination, cookie + dropCookie(names.page, names)))
}

/** 4 means a private computer, as clients of other servers have it. */
function computerOf({ forms }: Visit, form: URLSearchParams): Computer {
  if (!forms.settings.publicPrivateChoice) return 'private'
  return (Number(form.get('flags')) & 4) === 4 ? 'private' : 'public'
}

function ticketOf({ principal, deferred }: Authenticated, keepsPassword: boolean, now: number): Ticket {
  const { authcid, user, delegate, mechanism, strength, source, epoch, proof } = principal
  const { password } = proof
  return {
    id: newId(),
    authTime: now,
    deferred,
    earlier: {
      authcid,
      user,
      ...(delegate === undefined ? {} : { delegate }),
      mechanism,
      strength,
      source,
      epoch,
      ...(keepsPassword && password !== undefined ? { password } : {}),
    },
  }
}

/** Whether the password has to be shown again: to the source that found the route by it, or to a backend. */
async function needsPassword({ session, prepared }: Connection, principal: Principal): Promise<boolean> {
  if (principal.route !== undefined) return true
  const groups = new Set<string | undefined>()
  for (const directory of prepared.settings.directories) {
    if (groups.has(directory.group)) continue
    groups.add(directory.group)
    const route = await ownRoute(session, principal, directory.group)
    // Whoever cannot be routed now may be later: the password is not left out on a guess.
    if (route.kind === 'refuse') return true
    if (route.kind === 'redirect' || route.location.backendPassword !== undefined) continue
    if (route.candidates.some(({ identity }) => identity.kind === 'password')) return true
  }
  return false
}

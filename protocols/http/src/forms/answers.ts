// SPDX-License-Identifier: MIT
import type { Redirection } from '@portico/routing'
import { originOf } from '../elsewhere/origin.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, type Reply, redirectReply, statusReply } from '../replies.js'
import { dropCookie, setCookie } from './cookies.js'
import { safeDestination } from './destination.js'
import { textsFor } from './language.js'
import { pageText } from './page.js'
import { pageHeaders } from './page-headers.js'
import { pageToken } from './page-token.js'
import { formsPageOf, logonPath, mountPath, type Reason } from './paths.js'
import type { Texts } from './texts/text.js'
import { newId } from './ticket.js'
import { handedOver, LONGEST_NAME } from './user-name.js'
import type { Visit } from './visit.js'

/** A text of the page. */
export type Message = { readonly text: Exclude<keyof Texts, 'lang' | 'dir'>; readonly failure: boolean }

/** A page identifier as it came back from a browser is used on only when it is one that we could have made. */
const PAGE_ID = /^[A-Za-z0-9_-]{22}$/

/** What the page is to show. */
interface Shown {
  readonly status: number
  readonly message?: Message | undefined
  readonly fields?: string
  /** What was filled in before; what the browser was handed over when absent. */
  readonly user?: string | null
}

/** The sign-in page, with a cookie for this browser that its token belongs to. */
export async function pageAnswer(
  visit: Visit,
  destination: string | null | undefined,
  { status, message, fields = '', user }: Shown,
): Promise<Reply> {
  const { names, forms } = visit
  const texts = textsFor(visit.field('accept-language'))
  const shown = visit.cookie(names.page)
  const kept = visit.cookie(names.user)
  const id = shown !== undefined && PAGE_ID.test(shown) ? shown : newId()
  const token = await pageToken(forms.ring, id, visit.place(names.page))
  if (token === 'unavailable') return ours(visit, failureReply('lookup-unavailable'))
  const body = pageText({
    texts,
    settings: forms.settings,
    mount: visit.mount,
    destination: destinationOf(visit, destination),
    token,
    user: user?.slice(0, LONGEST_NAME) ?? handedOver(kept),
    message: message && { text: texts[message.text], failure: message.failure },
  })
  const cookie = id === shown ? '' : setCookie(names.page, id, names, 'Strict')
  const used = kept === undefined ? '' : dropCookie(names.user, names)
  return ours(visit, { status, fields: fields + cookie + used, body, contentType: 'text/html; charset=utf-8' })
}

/** Sends a browser to the sign-in page, for this reason and back to where it wanted to go. */
export function toLogon(visit: Visit, reason: Reason, destination: string | undefined, fields = ''): Reply {
  return redirected(visit, logonPath(visit.mount, reason, destination), fields)
}

/** Where a request wanted to go, when it can be asked again: nobody is told to repeat a form. */
export function wantedBy({ request }: Visit): string | undefined {
  const { method } = request.head
  return method === 'GET' || method === 'HEAD' ? safeDestination(request.path + request.query) : undefined
}

/** A destination that may be gone to; the directory itself for what may not, and for the pages of the sign-in. */
export function destinationOf(visit: Visit, text: string | null | undefined): string {
  const mount = mountPath(visit.mount)
  const safe = safeDestination(text ?? '')
  const path = safe?.split('?', 1)[0] ?? ''
  const rest = path.toLowerCase().startsWith(mount.toLowerCase()) ? path.slice(mount.length) : ''
  return safe === undefined || formsPageOf(rest) !== undefined ? `${mount}/` : safe
}

/** A redirection of the sign-in page. */
export function redirected(visit: Visit, location: string, fields: string): Reply {
  const { fields: own, ...rest } = redirectReply(302, location)
  return ours(visit, { ...rest, fields: own + fields })
}

/** For a program whose sign-in has ended: it knows this status from other servers, and asks its user to sign in. */
export function loginTimeout(visit: Visit, fields = ''): Reply {
  return ours(visit, statusReply(440, fields))
}

/** The line that takes the sign-in cookie away. */
export function withoutSignIn({ names }: Visit): string {
  return dropCookie(names.signIn, names)
}

/** An answer with what browsers are told about our own pages. */
export function ours({ connection, forms, encrypted }: Visit, answer: Reply): Reply {
  const leadTo = autoOrigins(connection.session.services.router.redirections('http'))
  return { ...answer, fields: answer.fields + pageHeaders(forms.settings, encrypted, leadTo) }
}

/** Where browsers are sent on to without a person's doing. */
function autoOrigins(redirections: readonly Redirection[]): readonly string[] {
  const followed = redirections.filter(({ how }) => how === 'silent' || how === 'same-request')
  return [...new Set(followed.map(({ to }) => originOf(to)))]
}

/** Such an answer as an outcome. */
export async function answered(answer: Reply | Promise<Reply>, persist = true): Promise<Outcome> {
  return reply(await answer, persist)
}

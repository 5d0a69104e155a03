// SPDX-License-Identifier: MIT
import type { Authenticated, AuthFailed } from '@portico/auth'
import { Secret } from '@portico/base'
import type { Connection } from '../client/connection.js'
import type { Identified } from '../sign-in/sign-in.js'
import { RENEWED_AFTER } from '../sign-in/signed-in.js'
import { setCookie } from './cookies.js'
import { isAutomatic } from './requests.js'
import { type Computer, open, seal } from './seal.js'
import type { Ticket } from './ticket.js'
import type { Visit } from './visit.js'

/** The application may let everybody's caches have its answer; they must not have the cookie with it (RFC 9111 section 7.3). */
const NOT_FOR_OTHERS = 'Cache-Control: private\r\n'

export type Resumed =
  /** `fields`: lines that go out with the answer, or empty. */
  | { readonly kind: 'resumed'; readonly signedIn: Identified; readonly fields: string }
  /** There is no cookie, or none of ours. */
  | { readonly kind: 'none' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly outcome: AuthFailed }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'gone' }

interface Known {
  readonly kind: 'known'
  readonly sealed: Secret<string>
  readonly peer: string
  readonly host: string
  readonly ticket: Ticket
  readonly signedIn: Identified
  /** Field lines that hand out the cookie anew; empty while it is fresh. */
  readonly renewal: string
  readonly until: number
}

/** The last good cookie of each connection. */
const known = new WeakMap<Connection['shared'], Known>()

/** Who asks, by the cookie of the sign-in page. */
export async function resume(visit: Visit): Promise<Resumed> {
  const { connection, names } = visit
  const sealed = visit.cookie(names.signIn)
  if (sealed === undefined) return { kind: 'none' }
  const last = recall(visit, sealed) ?? (await openUp(visit, sealed))
  if (last.kind !== 'known') return last
  const { record } = connection.session
  record.user = last.signedIn.principal.user
  record.mechanism = last.signedIn.principal.mechanism
  const fields = last.renewal === '' || isAutomatic(visit.query) ? '' : last.renewal
  return { kind: 'resumed', signedIn: last.signedIn, fields }
}

async function openUp(visit: Visit, sealed: string): Promise<Known | Exclude<Resumed, { kind: 'resumed' }>> {
  const { connection, forms, names } = visit
  const place = visit.place(names.signIn)
  const opened = await open(forms.ring, forms.timeouts, sealed, place)
  if (opened.kind === 'unavailable' || opened.kind === 'expired') return opened
  if (opened.kind === 'bad') return { kind: 'none' }
  const { ticket } = opened
  if (visit.now - ticket.authTime > forms.settings.longest) return { kind: 'expired' }
  if (await forms.revocations.hasEnded(ticket)) return { kind: 'none' }
  const outcome = await askAuthCore(visit, ticket)
  const { session } = connection
  if (session.signal.aborted) return { kind: 'gone' }
  if (outcome.kind === 'failed') return { kind: 'failed', outcome }
  const found: Known = {
    kind: 'known',
    sealed: new Secret(sealed),
    peer: connection.context.client.peer.address,
    host: place.host,
    ticket,
    signedIn: { ...outcome, whenEnded: (end) => forms.revocations.whenEnded(ticket, end) },
    renewal: opened.old ? await renew(visit, opened) : '',
    until: session.services.clock.now() + RENEWED_AFTER,
  }
  if (!outcome.deferred) known.set(connection.shared, found)
  return found
}

function recall(visit: Visit, sealed: string): Known | undefined {
  const { connection, forms, names } = visit
  const last = known.get(connection.shared)
  if (last === undefined || last.sealed.expose() !== sealed) return undefined
  if (last.host !== visit.place(names.signIn).host) return undefined
  if (last.peer !== connection.context.client.peer.address) return undefined
  if (last.until <= connection.session.services.clock.now()) return undefined
  return forms.revocations.knownEnded(last.ticket) ? undefined : last
}

/** What nobody has judged is shown to be judged again, as a wrong password has to count. */
async function askAuthCore({ connection }: Visit, { earlier, deferred }: Ticket): Promise<Authenticated | AuthFailed> {
  const { session, context } = connection
  const { authenticator } = session.services
  const { password, authcid: user } = earlier
  session.record.begin()
  const outcome =
    deferred && password !== undefined
      ? await authenticator.login({ user, password: password.expose(), scheme: 'FORMS' }, context, session.signal)
      : await authenticator.resume(earlier, context, session.signal)
  session.record.finish('authenticate')
  return outcome
}

/** A cookie of an earlier half timeout is sealed anew, so that whoever goes on asking stays signed in. */
async function renew(
  visit: Visit,
  { ticket, computer }: { readonly ticket: Ticket; readonly computer: Computer },
): Promise<string> {
  const { forms, names } = visit
  const sealed = await seal(forms.ring, forms.timeouts, computer, ticket, visit.place(names.signIn))
  return sealed === 'unavailable' ? '' : setCookie(names.signIn, sealed, names, 'Lax') + NOT_FOR_OTHERS
}

// SPDX-License-Identifier: MIT
import type { Authenticated, AuthFailed } from '@portico/auth'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, type Reply, statusReply } from '../replies.js'
import type { Identified } from '../sign-in/sign-in.js'
import { answered, loginTimeout, type Message, ours, pageAnswer, toLogon, wantedBy, withoutSignIn } from './answers.js'
import { isApplicationSignOut } from './application-sign-out.js'
import { formsPageOf, REASON, type Reason, readReason } from './paths.js'
import { isBrowser, isCrossSite, isNavigation } from './requests.js'
import { type Resumed, resume } from './resume.js'
import { submit } from './sign-in-form.js'
import { endSignIn, FORGET_PAGES, signOut } from './sign-out.js'
import { Visit } from './visit.js'

/** Whether a path below a mount is one of the sign-in's own pages: whoever asks for it, it goes to nobody else. */
export function isFormsPage({ rest }: Placed): boolean {
  return formsPageOf(rest) !== undefined
}

/**
 * Who asks, in a directory that people sign in to by our own page; and that page itself. `undefined`: neither a cookie nor a
 * browser, so that the other schemes of the directory may challenge it; {@link refuseWithoutSignIn} answers where there are none.
 */
export async function formsSignIn(
  connection: Connection,
  request: Incoming,
  placed: Placed,
): Promise<Identified | Outcome | undefined> {
  const visit = new Visit(connection, request, placed)
  switch (formsPageOf(placed.rest)) {
    case 'logon':
      return showPage(visit)
    case 'submit':
      return submit(visit)
    case 'logoff':
      return signOut(visit)
    case undefined:
      return bySignIn(visit, await resume(visit))
  }
}

/** The answer to somebody without a sign-in: a person is sent to the page, a program is told what is missing. */
export function refuseWithoutSignIn(connection: Connection, request: Incoming, placed: Placed): Outcome {
  return reply(withoutAny(new Visit(connection, request, placed), REASON.none, ''))
}

async function showPage(visit: Visit): Promise<Outcome> {
  const { method } = visit.request.head
  if (method !== 'GET' && method !== 'HEAD') {
    return answered(ours(visit, statusReply(405, 'Allow: GET, HEAD\r\n')))
  }
  const message = MESSAGES[readReason(visit.query.get('reason'))]
  return answered(pageAnswer(visit, visit.query.get('url'), { status: 200, message }))
}

const MESSAGES: Readonly<Record<Reason, Message | undefined>> = {
  0: undefined,
  1: { text: 'signedOut', failure: false },
  2: { text: 'wrong', failure: true },
  3: { text: 'expired', failure: false },
  4: { text: 'changed', failure: false },
}

/** The application gets its own sign-out too, and answers it. */
async function leave(visit: Visit, signedIn: Authenticated): Promise<Identified> {
  await endSignIn(visit)
  return { ...signedIn, fields: withoutSignIn(visit) + FORGET_PAGES }
}

async function bySignIn(visit: Visit, resumed: Resumed): Promise<Identified | Outcome | undefined> {
  switch (resumed.kind) {
    case 'resumed': {
      const { signedIn, fields } = resumed
      if (isApplicationSignOut(visit.placed, visit.request) && !isCrossSite(visit)) return leave(visit, signedIn)
      if (!signedIn.deferred) return fields === '' ? signedIn : { ...signedIn, fields }
      return { ...signedIn, fields, refused: withoutAny(visit, REASON.wrong, withoutSignIn(visit)) }
    }
    case 'gone':
      return resumed
    case 'unavailable':
      return reply(ours(visit, failureReply('lookup-unavailable')))
    case 'expired':
      // A script of the page mostly asks first: with its cookie gone, the page could no longer say why it is shown.
      return reply(withoutAny(visit, REASON.expired, isNavigation(visit) ? withoutSignIn(visit) : ''))
    case 'failed':
      return failed(visit, resumed.outcome)
    case 'none': {
      const had = visit.cookie(visit.names.signIn) !== undefined
      if (!had && !isNavigation(visit) && !isBrowser(visit)) return undefined
      return reply(withoutAny(visit, REASON.none, had ? withoutSignIn(visit) : ''))
    }
  }
}

/** A sign-in that was good has become none: the credentials are others, or the account may not do this. */
function failed(visit: Visit, { reason, waitMs }: AuthFailed): Outcome {
  switch (reason) {
    case 'invalid-credentials':
    case 'password-expired':
      return reply(withoutAny(visit, REASON.changed, isNavigation(visit) ? withoutSignIn(visit) : ''))
    case 'throttled':
    case 'lookup-unavailable':
      return reply(ours(visit, failureReply(reason, { waitMs })))
    default:
      return reply(ours(visit, statusReply(403)))
  }
}

function withoutAny(visit: Visit, reason: Reason, fields: string): Reply {
  return isNavigation(visit) ? toLogon(visit, reason, wantedBy(visit), fields) : loginTimeout(visit, fields)
}

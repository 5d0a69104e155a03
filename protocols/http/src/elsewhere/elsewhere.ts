// SPDX-License-Identifier: MIT
import type { Authenticated } from '@portico/auth'
import type { Redirection } from '@portico/routing'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import type { Placed } from '../directory/directories.js'
import { ours, wantedBy } from '../forms/answers.js'
import { textsFor } from '../forms/language.js'
import { elsewherePageText } from '../forms/page.js'
import { mountPath } from '../forms/paths.js'
import { Visit } from '../forms/visit.js'
import { type Outcome, reply } from '../outcome.js'
import { failureReply, type Reply, redirectReply, statusReply } from '../replies.js'
import { originOf } from './origin.js'
import { mayGoOn } from './redirect-budget.js'

/** Who is to be sent where. */
export interface Departure {
  readonly signedIn: Authenticated & { readonly fields?: string }
  readonly route: Pick<Redirection, 'how' | 'to'>
}

/**
 * Sends a client to the same place at another site, each kind in the way that it knows. Two sites whose directories each say that
 * the mailbox is at the other would send it to and fro for ever: who goes by themselves too often in a short time is asked to wait.
 */
export async function sendElsewhere(
  connection: Connection,
  request: Incoming,
  placed: Placed,
  { signedIn, route }: Departure,
): Promise<Outcome> {
  const { session } = connection
  if (route.how !== 'manual' && !(await mayGoOn(session, request, signedIn.principal.user))) {
    session.services.log.warn('sent to another site too often', { session: session.id, user: signedIn.principal.user })
    return reply(failureReply('backend-unavailable', { waitMs: 60_000 }))
  }
  const answer = elsewhereReply(connection, request, placed, route)
  return reply({ ...answer, fields: answer.fields + (signedIn.fields ?? '') })
}

function elsewhereReply(
  connection: Connection,
  request: Incoming,
  placed: Placed,
  { how, to }: Departure['route'],
): Reply {
  const origin = originOf(to)
  const { path, query } = request
  switch (how) {
    case 'device':
      return deviceReply(origin + path)
    case 'silent':
    case 'manual':
      return toPerson(new Visit(connection, request, placed), how, origin)
    case 'autodiscover':
      return redirectReply(302, origin + path + query)
    default:
      return redirectReply(307, origin + path + query)
  }
}

/** ActiveSync's word for another server ([MS-ASHTTP] section 2.2.2.1.1): the device asks there from then on. */
export function deviceReply(url: string): Reply {
  return statusReply(451, `X-MS-Location: ${url}\r\n`)
}

/** Nobody is told to repeat a form: its way leads to the beginning of the directory. */
function toPerson(visit: Visit, how: 'silent' | 'manual', origin: string): Reply {
  const url = origin + (wantedBy(visit) ?? `${mountPath(visit.mount)}/`)
  if (how === 'silent') return ours(visit, redirectReply(302, url))
  const { settings } = visit.forms
  const texts = textsFor(visit.field('accept-language'))
  const body = elsewherePageText({ texts, settings }, { url, shown: new URL(origin).host })
  return ours(visit, { status: 200, fields: '', body, contentType: 'text/html; charset=utf-8' })
}

// SPDX-License-Identifier: MIT
import { onlyValue, valuesOf } from './parse.js'
import { parseUri } from './parse-uri.js'
import {
  BAD_EXTENSION,
  BAD_SCHEME,
  BAD_VERSION,
  badRequest,
  NO_CALL,
  NOT_ALLOWED,
  NOT_IMPLEMENTED,
  OK,
  type Status,
  statusOf,
} from './replies.js'
import type { Request } from './request.js'
import { isForServer, type MailboxRules, type Target, targetOf } from './target.js'

/** What is known of who sent a request. */
export interface Sender {
  /** One of the site's peers: what it says of diverted calls is believed. */
  readonly trusted: boolean
  /** Requests of it are looked at. */
  readonly admitted: boolean
}

/** What is to be done with a request. */
export type Verdict =
  /** It is absorbed. */
  | { readonly kind: 'silence'; readonly why: 'ack' | 'no-via' }
  | { readonly kind: 'answer'; readonly status: Status; readonly fields: readonly string[] }
  /** Where its mailbox is has to be found out. */
  | { readonly kind: 'locate'; readonly target: Target; readonly secure: boolean }

/** What a redirect server takes. */
export const ALLOW = 'Allow: INVITE, ACK, CANCEL, OPTIONS'

/** Methods that are SIP's and not ours; for any other there is another answer (RFC 3261 section 8.2.1). */
const KNOWN: ReadonlySet<string> = new Set(
  'BYE REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE'.split(' '),
)

/**
 * The order is that of RFC 3261 section 8.2, as far as it goes without asking anybody. `active`: the service is neither draining
 * nor switched off.
 */
export function decide(request: Request, rules: MailboxRules, sender: Sender, active: boolean): Verdict {
  // An ACK is never answered, whatever is wrong with it (section 17.1.1.3), and without Via nobody could be.
  if (request.method === 'ACK') return { kind: 'silence', why: 'ack' }
  if (request.via === undefined) return { kind: 'silence', why: 'no-via' }
  if (!/^SIP\/2\.0$/i.test(request.version)) return answer(BAD_VERSION)
  if (request.fault !== undefined) return answer(badRequest(request.fault))
  if (!sender.admitted) return answer(statusOf('network-refused'))
  return refusedMethod(request) ?? decideUri(request, rules, sender, active)
}

function answer(status: Status, ...fields: readonly string[]): Verdict {
  return { kind: 'answer', status, fields }
}

/** Every request had its final answer at once, so that nothing is left to be cancelled (section 9.2). */
function refusedMethod({ method }: Request): Verdict | undefined {
  if (method === 'INVITE' || method === 'OPTIONS') return undefined
  if (method === 'CANCEL') return answer(NO_CALL)
  return KNOWN.has(method) ? answer(NOT_ALLOWED, ALLOW) : answer(NOT_IMPLEMENTED, ALLOW)
}

function decideUri(request: Request, rules: MailboxRules, { trusted }: Sender, active: boolean): Verdict {
  const uri = parseUri(request.uri)
  if (uri === undefined) return answer(badRequest('Malformed Request-URI'))
  if (uri.kind === 'other') return answer(BAD_SCHEME)
  const unknown = requiredExtensions(request)
  if (unknown === undefined) return answer(badRequest('Malformed Require'))
  if (unknown.length > 0) return answer(BAD_EXTENSION, `Unsupported: ${unknown.join(', ')}`)
  // No dialog began here (section 12.2.2).
  if (request.inDialog) return answer(NO_CALL)
  if (isPing(request, isForServer(uri))) return active ? answer(OK, ALLOW, 'Accept: application/sdp') : away()
  const target = targetOf(uri, request.fields, rules, trusted)
  if (target === undefined) return active ? answer(statusOf('no-mailbox')) : away()
  return { kind: 'locate', target, secure: uri.kind === 'sip' && uri.secure }
}

function away(): Verdict {
  return answer(statusOf('draining'))
}

/** Gateways ask by OPTIONS whether the server is there: it names nobody, or may go no further than here (section 11.2). */
function isPing({ method, fields }: Request, forServer: boolean): boolean {
  if (method !== 'OPTIONS') return false
  const hops = onlyValue(fields, 'max-forwards')
  return forServer || (hops !== undefined && hops !== 'many' && Number(hops.value) === 0)
}

/** Nothing that may be required is known here (sections 8.2.2.3 and 20.29). */
function requiredExtensions({ fields }: Request): readonly string[] | undefined {
  const required = valuesOf(fields, 'require')
  const ofProxies = valuesOf(fields, 'proxy-require')
  if (required === undefined || ofProxies === undefined) return undefined
  return [...required, ...ofProxies].filter((option) => option !== '')
}

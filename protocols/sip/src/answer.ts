// SPDX-License-Identifier: MIT
import type { RefusalReason } from '@portico/base'
import { type Asking, findRoute, type ListenerFacts } from '@portico/session'
import { contactsOf } from './contacts.js'
import { decide, type Sender, type Verdict } from './decide.js'
import { onlyValue } from './parse.js'
import type { Via } from './parse-via.js'
import { badRequest, MOVED, type Status, statusOf, UNAVAILABLE } from './replies.js'
import type { Request } from './request.js'
import { formatResponse } from './response.js'
import type { SipSettings } from './schema.js'

/** Who asks, and how. */
export interface Question {
  readonly asking: Asking
  readonly listener: Pick<ListenerFacts, 'name'>
  readonly transport: 'udp' | 'tcp' | 'tls'
  readonly sender: Sender
  readonly settings: SipSettings
}

/** A status with the fields that belong to it, each a line without its end. */
interface Answer {
  readonly status: Status
  readonly fields: readonly string[]
}

/** The response to a request, as text of one octet for each character; undefined for what gets none. */
export async function answerTo(request: Request, question: Question): Promise<string | undefined> {
  const { asking, settings, sender } = question
  const active = (asking.services.states().get('sip') ?? 'active') === 'active'
  const verdict = decide(request, settings, sender, active)
  if (verdict.kind === 'silence') {
    asking.services.log.debug('request absorbed', { session: asking.id, why: verdict.why })
    return undefined
  }
  const answer = verdict.kind === 'answer' ? verdict : await located(verdict, question)
  return answer === undefined ? undefined : told(request, answer, question, verdict)
}

/** What is said without looking at anything but the head: to what is too large, or has no length. */
export function refusal(request: Request, fault: 'too-long' | string, question: Question): string | undefined {
  if (request.method === 'ACK') return undefined
  const status = fault === 'too-long' ? statusOf('too-long') : badRequest(fault)
  return told(request, { status, fields: [] }, question)
}

/** Undefined when nobody waits for it any more. */
async function located(verdict: Extract<Verdict, { kind: 'locate' }>, question: Question): Promise<Answer | undefined> {
  const { target, secure } = verdict
  const { asking, settings } = question
  const { local, domain } = target.mailbox
  asking.record.user = `${local}@${domain}`
  const route = await findRoute(asking, { ...target.mailbox, protocol: 'sip' })
  if (asking.signal.aborted && asking.signal.reason !== 'deadline') return undefined
  if (route.kind === 'refuse') return refused(route.reason)
  if (route.kind === 'redirect') return { status: MOVED, fields: [`Contact: <sip:${target.user}@${route.to}>`] }
  const backends = route.candidates.slice(0, 1 + settings.alternatives)
  const contacts = contactsOf(backends, target, secure)
  if (contacts.length === 0) return { status: UNAVAILABLE, fields: [`Warning: 380 portico "SIPS Not Allowed"`] }
  asking.record.backend = route.candidates[0].id
  return { status: MOVED, fields: contacts }
}

function refused(reason: RefusalReason): Answer {
  return { status: statusOf(reason), fields: [] }
}

const MS = 1_000
/** Of a Call-ID in the log. */
const LONGEST_ID = 128

function told(request: Request, answer: Answer, question: Question, verdict?: Verdict): string | undefined {
  const { asking, settings, listener, transport } = question
  if (request.via === undefined) return undefined
  const { status } = answer
  const wait = Math.max(1, Math.ceil(settings.retryAfter / MS))
  const fields = status.code === 503 ? [...answer.fields, `Retry-After: ${wait}`] : answer.fields
  const { client, user, backend } = asking.record
  const id = onlyValue(request.fields, 'call-id')
  // Whoever scans for open servers would fill the disk: a line at info is for calls of mailboxes.
  asking.services.log[verdict?.kind === 'locate' ? 'info' : 'debug']('request answered', {
    session: asking.id,
    listener: listener.name,
    client: client.address,
    clientPort: client.port,
    transport,
    method: request.method.slice(0, LONGEST_ID),
    status: status.code,
    user,
    backend,
    callId: id === undefined || id === 'many' ? undefined : id.value.slice(0, LONGEST_ID),
  })
  const via: Via = request.via
  const facts = { peer: client, key: asking.services.sharedKey }
  return formatResponse({ ...request, via }, status, fields, facts)
}

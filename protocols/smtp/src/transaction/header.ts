// SPDX-License-Identifier: MIT
import type { Octets } from '@portico/net'
import { egressFirewall, ingressFirewall } from '../agents/header-firewall.js'
import type { AgentRun } from '../agents/run-agents.js'
import { isSignedIn } from '../connector/access.js'
import type { Dialogue } from '../dialogue.js'
import {
  editHeader,
  type HeaderEdits,
  type HeaderFields,
  hopsOf,
  type LineForm,
  parseHeader,
} from '../message/header-fields.js'
import { authenticationResultsField, type MethodResult, receivedField } from '../message/trace.js'
import { addresseesOf, branchesOf, type Envelope } from './envelope.js'
import { type Fault, faultOf, faultWith } from './fault.js'

/** A header section that may go on, and what is to be done to it. */
export interface JudgedHeader {
  readonly section: Buffer
  readonly fields: HeaderFields
  readonly edits: readonly HeaderEdits[]
}

/**
 * Judges a header section: mail loops, and what the agents think of it. A function: it has to be called for the agents to be asked,
 * when nothing else is awaited in the session. The section may be a view that dies with the call: where agents are asked it is
 * copied.
 */
export function judgeHeader(
  dialogue: Dialogue,
  envelope: Envelope,
  section: Buffer,
  form: LineForm,
): JudgedHeader | Fault | (() => Promise<JudgedHeader | Fault>) {
  const fields = parseHeader(section, form)
  if (fields.tooMany) return faultOf('header-too-big')
  if (fields.faulty) return faultOf('bare-line-end')
  if (hopsOf(fields) > dialogue.connector.maxHops) return faultOf('loop')
  const edits = [ingressFirewall(dialogue)]
  const { agents } = dialogue
  if (agents?.wants('headers') !== true) return { section, fields, edits }
  const judged = { section: Buffer.from(section), fields, edits }
  return () => askAgents(agents, envelope, judged)
}

async function askAgents(agents: AgentRun, envelope: Envelope, judged: JudgedHeader): Promise<JudgedHeader | Fault> {
  const verdict = await agents.ask('headers', {
    envelope: factsOf(envelope),
    fields: judged.fields,
    notes: agents.notes,
  })
  if (verdict.kind === 'gone') return faultOf('backend-lost')
  if (verdict.kind === 'refuse') return faultWith('agent', verdict.reply, verdict.close)
  return { ...judged, edits: [...judged.edits, ...verdict.edits] }
}

/** What agents are told of an envelope. */
export function factsOf({ sender, recipients }: Envelope) {
  return { sender, recipients: recipients.map(({ mailbox }) => mailbox) }
}

/** The pieces of a header section as it goes out. */
export function edited(
  dialogue: Dialogue,
  envelope: Envelope,
  { section, fields, edits }: JudgedHeader,
  form: LineForm,
): readonly Octets[] {
  const all = [...ownEdits(dialogue, envelope), ...edits]
  return editHeader(section, fields, leavesTrust(dialogue, envelope) ? egressFirewall(all) : all, form)
}

/**
 * It goes to somebody who is not to learn what servers of the organization think of it. One group of several is enough: they get the
 * same message.
 */
function leavesTrust({ settings }: Dialogue, envelope: Envelope): boolean {
  const { untrustedGroups } = settings
  if (untrustedGroups.length === 0) return false
  return (branchesOf(envelope) ?? []).some(({ backend }) => untrustedGroups.includes(backend.lease.backend.group))
}

/**
 * What we put in front of everything: Received (RFC 5321 section 4.4), above it what is known of who sent it (RFC 8601 section 4),
 * and what agents have found.
 */
function ownEdits(dialogue: Dialogue, envelope: Envelope): readonly HeaderEdits[] {
  const { agents } = dialogue
  const received = { prepend: [receivedBy(dialogue, envelope)] }
  const results = resultsOf(dialogue)
  const trace = results.length === 0 ? received : { prepend: traceOf(dialogue, envelope, results, received) }
  return agents === undefined
    ? [trace]
    : [agents.notes.edits(() => envelope.recipients.map(({ mailbox }) => mailbox.text)), trace]
}

function resultsOf({ agents, authenticated, connector }: Dialogue): readonly MethodResult[] {
  const found = agents?.notes.results ?? []
  if (!connector.authenticationResults || authenticated === undefined) return found
  return [{ method: 'auth', result: 'pass', properties: [['smtp.auth', authenticated.principal.user]] }, ...found]
}

function traceOf(
  { session }: Dialogue,
  { parameters }: Envelope,
  results: readonly MethodResult[],
  { prepend }: HeaderEdits,
): readonly string[] {
  const { hostname } = session.services
  const field = authenticationResultsField({ hostname, international: parameters.international }, results)
  return field === undefined ? prepend : [field, ...prepend]
}

function receivedBy(dialogue: Dialogue, envelope: Envelope): string {
  const { session, helo, connector } = dialogue
  const { hostname, clock } = session.services
  const [recipient, ...more] = addresseesOf(envelope)
  return receivedField({
    helo: helo?.domain ?? 'unknown',
    client: session.leg.facts.peer,
    hostname,
    extended: helo?.kind !== 'helo',
    encrypted: session.leg.tls !== undefined,
    cipher: session.leg.tls?.cipher,
    lmtp: connector.lmtp,
    authenticated: isSignedIn(dialogue),
    international: envelope.parameters.international,
    id: session.id,
    recipient: more.length === 0 ? recipient?.mailbox.text : undefined,
    at: clock.wallNow(),
  })
}

// SPDX-License-Identifier: MIT
import { canStartTls } from '@portico/session'
import { deliveryBackends } from '../backend/offers.js'
import { isSignedIn, offeredMechanisms, offersXclient } from '../connector/access.js'
import { BACKEND_EXTENSIONS } from '../connector/connector-schema.js'
import { may, sizeLimit } from '../connector/permissions.js'
import { XCLIENT_ATTRIBUTES } from '../connector/xclient-attributes.js'
import type { Dialogue } from '../dialogue.js'
import { sharedOf } from '../shared.js'

/**
 * What backends have and we can therefore offer: what the site says of them, or else what all of them say themselves that may get
 * this client's messages.
 */
export async function backendExtensions({ connector, session, settings, way }: Dialogue): Promise<readonly string[]> {
  const { services } = session
  const candidates = connector.submission
    ? (way?.route.candidates ?? services.backendsOf('smtp'))
    : deliveryBackends(services)
  const { group } = connector
  const backends = group === undefined ? candidates : candidates.filter((backend) => backend.group === group)
  const offered = connector.extensions ?? (await sharedOf(settings).offers.of(backends, services))
  const has = new Set<string>(offered)
  // Binary octets go by BDAT alone (RFC 3030 section 3), and a demand for TLS is worth something only under TLS (RFC 8689 section 4).
  if (connector.extensions === undefined && !has.has('CHUNKING')) has.delete('BINARYMIME')
  if (session.leg.tls === undefined) has.delete('REQUIRETLS')
  return BACKEND_EXTENSIONS.filter((keyword) => has.has(keyword))
}

/** The lines of the answer to EHLO: what can be done here and now, and nothing else. */
export function ehloLines(dialogue: Dialogue, theirs: readonly string[]): readonly string[] {
  const mechanisms = offeredMechanisms(dialogue)
  return [
    'PIPELINING',
    `SIZE ${announcedSize(dialogue)}`,
    ...(canStartTls(dialogue) ? ['STARTTLS'] : []),
    ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(' ')}`] : []),
    ...(offersXclient(dialogue) ? [`XCLIENT ${XCLIENT_ATTRIBUTES}`] : []),
    'ENHANCEDSTATUSCODES',
    'CHUNKING',
    ...theirs,
  ]
}

/** The extensions whose parameters a client may use. */
export function usableExtensions({ connector }: Dialogue, theirs: readonly string[]): ReadonlySet<string> {
  return new Set(['SIZE', ...(may(connector, true, 'submit') ? ['AUTH'] : []), ...theirs])
}

/** 0 where no size is too large (RFC 1870 section 4). */
function announcedSize(dialogue: Dialogue): number {
  const limit = sizeLimit(dialogue.connector, isSignedIn(dialogue))
  return Number.isFinite(limit) ? limit : 0
}

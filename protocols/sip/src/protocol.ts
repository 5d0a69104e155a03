// SPDX-License-Identifier: MIT
import type { Protocol } from '@portico/session'
import { checkSip } from './check.js'
import { type SipSettings, sipListenerSchema, sipSchema } from './schema.js'
import { serveDatagram } from './serve-datagram.js'
import { serveSip } from './session.js'

/** SIP (RFC 3261) as the front end hosts it: a redirect server, which sends calls to mailboxes to their voice servers. */
export const sip: Protocol<SipSettings> = {
  name: 'sip',
  alpn: () => [],
  ports: { plain: 5060, implicit: 5061 },
  // Mail programs make no calls.
  isForClients: () => false,
  // Nobody is asserted to a server that is only pointed at.
  identities: ['none'],
  schema: sipSchema,
  listenerSchema: sipListenerSchema,
  check: checkSip,
  drivers: () => [],
  serve: serveSip,
  serveDatagram,
  // Without a request there is nothing that a response could repeat.
  tooBusy: new Uint8Array(0),
}

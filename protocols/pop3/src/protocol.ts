// SPDX-License-Identifier: MIT
import type { Protocol } from '@portico/session'
import { pop3Driver } from './driver.js'
import { TOO_BUSY } from './replies.js'
import { type Pop3Settings, pop3ListenerSchema, pop3Schema } from './schema.js'
import { servePop3 } from './session.js'

/** POP3 (RFC 1939) as the front end hosts it. */
export const pop3: Protocol<Pop3Settings> = {
  name: 'pop3',
  alpn: () => ['pop3'],
  ports: { plain: 110, implicit: 995 },
  identities: ['password', 'master'],
  schema: pop3Schema,
  listenerSchema: pop3ListenerSchema,
  drivers: () => [pop3Driver()],
  serve: servePop3,
  tooBusy: Buffer.from(TOO_BUSY, 'latin1'),
}

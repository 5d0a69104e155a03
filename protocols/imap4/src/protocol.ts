// SPDX-License-Identifier: MIT
import type { Protocol } from '@portico/session'
import { imap4Driver } from './driver.js'
import { TOO_BUSY } from './replies.js'
import { type Imap4Settings, imap4ListenerSchema, imap4Schema } from './schema.js'
import { serveImap4 } from './session.js'

/** IMAP4 (RFC 9051, RFC 3501) as the front end hosts it. */
export const imap4: Protocol<Imap4Settings> = {
  name: 'imap4',
  alpn: () => ['imap'],
  ports: { plain: 143, implicit: 993 },
  identities: ['password', 'master'],
  schema: imap4Schema,
  listenerSchema: imap4ListenerSchema,
  drivers: () => [imap4Driver()],
  serve: serveImap4,
  tooBusy: Buffer.from(TOO_BUSY, 'latin1'),
}

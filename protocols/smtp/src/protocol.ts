// SPDX-License-Identifier: MIT
import type { Protocol } from '@portico/session'
import { smtpDrivers } from './backend/driver.js'
import { smtpProblems, smtpWarnings } from './check.js'
import { connectorNames } from './connector/choose-connector.js'
import { formatReply, say } from './replies.js'
import { type SmtpSettings, smtpListenerSchema, smtpSchema } from './schema.js'
import { serveSmtp } from './session.js'

/** The SMTP front end transport (RFC 5321) and message submission (RFC 6409). No ALPN id is registered for SMTP. */
export const smtp: Protocol<SmtpSettings> = {
  name: 'smtp',
  alpn: () => [],
  ports: { plain: 25, implicit: 465, clients: 587 },
  isForClients: ({ connectors }, { options, port }) =>
    connectorNames(options, port).every((name) => connectors.get(name)?.submission === true),
  identities: ['password', 'master', 'xclient', 'none'],
  schema: smtpSchema,
  listenerSchema: smtpListenerSchema,
  check: smtpProblems,
  warnings: smtpWarnings,
  deliveries: [{ name: 'lmtp', identities: ['password', 'master', 'xclient', 'none'] }],
  drivers: smtpDrivers,
  serve: serveSmtp,
  tooBusy: Buffer.from(formatReply(say(421, '4.3.2', 'Too many connections, try again later')), 'latin1'),
}

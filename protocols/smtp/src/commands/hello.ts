// SPDX-License-Identifier: MIT
import { authContextOf } from '@portico/session'
import type { Dialogue, Next } from '../dialogue.js'
import type { Command } from '../parse.js'

/** EHLO and HELO (RFC 5321 section 4.1.1.1). Either ends a transaction (section 4.1.4). */
export async function hello(dialogue: Dialogue, command: Extract<Command, { kind: 'ehlo' | 'helo' }>): Promise<Next> {
  await dialogue.resetTransaction()
  dialogue.helo = command
  const { hostname } = dialogue.session.services
  if (command.kind === 'helo') dialogue.reply({ code: 250, lines: [hostname] })
  else dialogue.reply({ code: 250, lines: [hostname, ...extensions(dialogue)] })
  return 'next'
}

/** What can be done here and now, and nothing else. */
function extensions(dialogue: Dialogue): readonly string[] {
  const { connector } = dialogue
  const mechanisms = offeredMechanisms(dialogue)
  return [
    'PIPELINING',
    `SIZE ${connector.maxSize}`,
    ...(offersStartTls(dialogue) ? ['STARTTLS'] : []),
    ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(' ')}`] : []),
    'ENHANCEDSTATUSCODES',
    ...connector.extensions,
  ]
}

/** STARTTLS is there, and not yet done (RFC 3207 section 4.2). */
export function offersStartTls({ session }: Dialogue): boolean {
  return (
    session.listener.tls === 'starttls' && session.listener.tlsAcceptor !== undefined && session.leg.tls === undefined
  )
}

/** The mechanisms of AUTH (RFC 4954 section 3); none where nobody signs in. */
export function offeredMechanisms(dialogue: Dialogue): readonly string[] {
  const { session, connector } = dialogue
  if (!connector.submission) return []
  return session.services.authenticator.mechanisms(authContextOf(session, dialogue.failures))
}

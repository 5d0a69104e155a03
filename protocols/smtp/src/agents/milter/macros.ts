// SPDX-License-Identifier: MIT
import type { AgentSession, MailFacts } from '../agent.js'
import { clientName, type Macros } from './commands.js'

/** What milters ask about a client when it comes in: the names of Sendmail and Postfix. */
export function connectMacros({ hostname, connector, peer, local }: AgentSession): Macros {
  return {
    j: hostname,
    _: clientName(peer),
    v: 'Portico',
    '{daemon_name}': connector,
    '{if_addr}': local.family === 'unix' ? undefined : local.address,
    '{client_addr}': peer.family === 'unix' ? undefined : peer.address,
    '{client_name}': clientName(peer),
    '{client_port}': peer.family === 'unix' ? undefined : String(peer.port),
    '{client_resolve}': 'FAIL',
  }
}

export function helloMacros({ tls }: AgentSession): Macros {
  return { '{tls_version}': tls?.version, '{cipher}': tls?.cipher }
}

export function mailMacros({ id, user, tls }: AgentSession, { sender }: Pick<MailFacts, 'sender'>): Macros {
  return {
    i: id,
    '{mail_addr}': sender?.text,
    '{mail_host}': sender === undefined ? undefined : octets(sender.domain),
    '{auth_authen}': user === undefined ? undefined : octets(user),
    '{tls_version}': tls?.version,
    '{cipher}': tls?.cipher,
  }
}

export function recipientMacros({ id }: AgentSession, address: string): Macros {
  return { i: id, '{rcpt_addr}': address }
}

export function messageMacros({ id }: AgentSession): Macros {
  return { i: id }
}

/** A character for each octet. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1')
}

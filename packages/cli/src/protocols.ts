// SPDX-License-Identifier: MIT
import { http } from '@portico/http'
import { imap4 } from '@portico/imap4'
import { pop3 } from '@portico/pop3'
import type { Protocol } from '@portico/session'
import { sip } from '@portico/sip'
import { smtp } from '@portico/smtp'

/** The protocols of this program. A new one is added here. */
export const protocols: readonly Protocol<never>[] = [imap4, pop3, smtp, http, sip]

/** Those that a process is to host, and the others. Throws for a name that is none of them. */
export function selectProtocols(names: readonly string[] = []): {
  readonly protocols: readonly Protocol<never>[]
  readonly otherProtocols: readonly Protocol<never>[]
} {
  const known = protocols.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`no protocol ${unknown}: there are ${known.join(', ')}`)
  const wanted = (name: string) => names.length === 0 || names.includes(name)
  return {
    protocols: protocols.filter(({ name }) => wanted(name)),
    otherProtocols: protocols.filter(({ name }) => !wanted(name)),
  }
}

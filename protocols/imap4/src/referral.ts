// SPDX-License-Identifier: MIT

/** Where a backend would have a user sign in. */
export interface LoginReferral {
  /** Lower case, without the brackets of an IPv6 address. */
  readonly host: string
  /** Undefined where the URL has none: any endpoint of the host is meant. */
  readonly port: number | undefined
  readonly user: string | undefined
}

const REFERRAL = /^\[REFERRAL (imap:\/\/[^\]\s]{1,1000})\]/i
/** `imap://user;AUTH=mech@host:port/`: a server, no mailbox (RFC 5092 section 3). An IPv6 address has brackets of its own. */
const SERVER = /^imap:\/\/(?:([^@/;]*)(?:;auth=[^@/]*)?@)?(\[[0-9a-f:.]+\]|[^:/@[\]]+)(?::(\d{1,5}))?\/?$/i
const WITH_V6 = /^\[REFERRAL (imap:\/\/[^\]\s[]{0,500}\[[0-9a-f:.]{2,45}\](?::\d{1,5})?\/?)\]/i

/** Reads the referral of a tagged NO (RFC 2221 section 4.1); undefined when the text has none that names a server. */
export function loginReferral(rest: string): LoginReferral | undefined {
  const url = (WITH_V6.exec(rest) ?? REFERRAL.exec(rest))?.[1]
  const server = url === undefined ? null : SERVER.exec(url)
  if (server === null) return undefined
  const [, written, host = '', digits] = server
  const user = written === undefined || written === '' ? undefined : decoded(written)
  if (written !== undefined && written !== '' && user === undefined) return undefined
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port, user }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

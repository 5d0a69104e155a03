// SPDX-License-Identifier: MIT

// What browsers, mail servers and other strangers say first.
const FOREIGN =
  /^(?:(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PRI) \S+ +HTTP\/|(?:EHLO|HELO|LHLO)(?: |$)|SSH-|PROXY (?:TCP|UNKNOWN))/i

/** Whether a session's first line is one of HTTP, SMTP, SSH or the PROXY protocol. Some would pass for a command of mailbox protocols. */
export function isForeignLine(line: string): boolean {
  return FOREIGN.test(line)
}

// SPDX-License-Identifier: MIT

/**
 * What some server somewhere has taken for the end of a message, though it is none (RFC 5321 section 4.1.1.4): as published for
 * Postfix, Sendmail, Exim, Cisco, aiosmtpd and others, and what is like them.
 */
export const FALSE_ENDS: readonly string[] = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r.\n',
  '\n.\r',
  '\r\n.\r',
  '\r\r\n.\r\r\n',
  '\r\n.\r\r\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\n\n.\n\n',
  '\r\n.\n\r\n',
  '\n\r.\n\r',
  '\n.\n\r\n.\n',
]

const evil = (number: number): string =>
  `MAIL FROM:<evil@example.org>\r\nRCPT TO:<$TO>\r\nDATA\r\nSubject: two-${number}\r\n\r\nsmuggled\r\n.\r\n`

/** What follows DATA: the message `one-N` that holds a false end, and a transaction for `two-N` behind it. */
export function smuggled(number: number, recipient: string, lineEnd = '\r\n'): string {
  const head = `Subject: one-${number}${lineEnd}From: carol@example.org\r\n\r\nbody`
  return `${head}${FALSE_ENDS[number]}${evil(number).replace('$TO', recipient)}QUIT\r\n`
}

/**
 * The same by BDAT (RFC 3030), where a true end of DATA is but a line of the text, too. `cut`: so many octets of it are in the first
 * of two chunks.
 */
export function smuggledInChunks(number: number, recipient: string, cut: number): string {
  const head = `Subject: one-${number}\r\n\r\nbody`
  const first = `${head}${'\r\n.\r\n'.slice(0, cut)}`
  const second = `${'\r\n.\r\n'.slice(cut)}${evil(number).replace('$TO', recipient)}end\r\n`
  return `BDAT ${first.length}\r\n${first}BDAT ${second.length} LAST\r\n${second}QUIT\r\n`
}

/** All of a session that comes to a message only where something else than CRLF ends a command (RFC 5321 section 2.3.8). */
export function smuggledInCommands(number: number, recipient: string): string {
  const from = 'MAIL FROM:<carol@example.org'
  const to = `RCPT TO:<${recipient}>`
  const forms = [
    (end: string) => `${from}>${end}${to}\r\n`,
    (end: string) => `${from}> SIZE=10${end}${to}\r\n`,
    (end: string) => `MAIL FROM:<"carol>${end}${to}${end}"@example.org>\r\n`,
    (end: string) => `NOOP${end}${from}>${end}${to}\r\n`,
  ]
  const form = forms[number % forms.length] ?? forms[0]
  const command = form?.(['\n', '\r', '\r\r\n', '\0\r\n'][Math.floor(number / forms.length)] ?? '\n')
  return `${command}DATA\r\nSubject: one-${number}\r\n\r\nhello\r\n.\r\nQUIT\r\n`
}

/** How many of these texts are the messages `one-N` and `two-N`. */
export function arrivals(mail: readonly string[], number: number): { readonly one: number; readonly two: number } {
  const heads = mail.map((text) => text.split(/\r?\n\r?\n/)[0] ?? '')
  const named = (word: string): RegExp => new RegExp(`Subject: ${word}-${number}(?!\\d)`)
  // A head that was ended by a LF alone may hold the subjects of both; the second is then no message of its own.
  return {
    one: heads.filter((head) => named('one').test(head)).length,
    two: heads.filter((head) => named('two').test(head) && !head.includes('one-')).length,
  }
}

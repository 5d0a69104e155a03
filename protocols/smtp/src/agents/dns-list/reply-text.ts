// SPDX-License-Identifier: MIT

/** Characters of a list's own text: with all else of the line it stays below 512 (RFC 5321 section 4.5.3.1.5). */
const LONGEST_TEXT = 150
/** Of all that is said. */
const LONGEST = 480

/** What stands for the words in a reply's text. */
export interface ReplyFacts {
  readonly subject: string
  readonly ip: string
  readonly zone: string
  readonly answer: string
  /** What the list says itself. */
  readonly text: string
}

/** Whether a text needs what the list says itself. */
export function needsText(template: string): boolean {
  return template.includes('%TEXT%')
}

/** The text of a reply: one line of printable ASCII, whatever the list and the client say. */
export function replyText(template: string, facts: ReplyFacts): string {
  const words: Readonly<Record<string, string>> = {
    '%SUBJECT%': facts.subject,
    '%IP%': facts.ip,
    '%ZONE%': facts.zone,
    '%ANSWER%': facts.answer,
    '%TEXT%': facts.text.slice(0, LONGEST_TEXT),
  }
  const text = template.replace(/%(?:SUBJECT|IP|ZONE|ANSWER|TEXT)%/g, (word) => words[word] ?? word)
  return text
    .replace(/[^ -~]/g, '?')
    .slice(0, LONGEST)
    .trim()
}

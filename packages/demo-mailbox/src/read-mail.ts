// SPDX-License-Identifier: MIT
// The one file that knows mailparser.
import { simpleParser } from 'mailparser'

/** A message as people read it. */
export interface ReadableMail {
  readonly subject: string
  readonly from: string
  readonly date: Date | undefined
  readonly text: string
  readonly attachments: readonly { readonly name: string; readonly size: number }[]
}

export async function readMail(raw: Buffer): Promise<ReadableMail> {
  const mail = await simpleParser(raw, { skipImageLinks: true })
  return {
    subject: mail.subject ?? '(no subject)',
    from: mail.from?.text ?? '(nobody)',
    date: mail.date,
    text: mail.text ?? '',
    attachments: mail.attachments.map(({ filename, size }) => ({ name: filename ?? 'unnamed', size })),
  }
}

// SPDX-License-Identifier: MIT
import { type Settings, size, z } from '@portico/config'
import { domain, fieldName, MOST_PATTERNS, network, oneOrMore, pattern, word } from './values.js'

/** Every type that a message can have: those of its content, and those that other agents find. */
export const MESSAGE_TYPES = [
  'auto-forward',
  'auto-reply',
  'bounce',
  'calendaring',
  'encrypted',
  'fax',
  'permission-controlled',
  'read-receipt',
  'signed',
  'voice',
] as const

const words = () => oneOrMore(word()).optional()
const patterns = () => oneOrMore(pattern(), MOST_PATTERNS).optional()
const domains = () => oneOrMore(domain()).optional()
const names = () => oneOrMore(fieldName()).describe('Names of header fields.')

/** What a rule asks of a message. */
export const conditionsSchema = z.strictObject({
  fromAddressContains: words().describe('Words in the address of the sender.'),
  fromAddressMatches: patterns().describe('Patterns of the address of the sender.'),
  fromScope: z
    .enum(['in', 'out'])
    .optional()
    .describe('`in`: who has signed in, or is in one of the networks that `inside` names. `out`: everybody else.'),
  senderDomain: domains().describe('Domains of the sender: `example.org`, or `*.example.org` for those below it.'),
  senderIp: oneOrMore(network()).optional().describe('Addresses and CIDR blocks of the client.'),
  anyRecipientContains: words().describe('Words in the address of any recipient.'),
  anyRecipientMatches: patterns().describe('Patterns of the address of any recipient.'),
  recipientDomain: domains().describe('Domains of any recipient.'),
  subjectContains: words().describe('Words in the subject.'),
  subjectMatches: patterns().describe('Patterns of the subject.'),
  subjectOrBodyContains: words().describe('Words in the subject or in the text of the message.'),
  subjectOrBodyMatches: patterns().describe('Patterns of the subject or of the text of the message.'),
  headerContains: z
    .strictObject({ name: names(), words: oneOrMore(word()).describe('Words in them.') })
    .optional()
    .describe('Words in header fields.'),
  headerMatches: z
    .strictObject({ name: names(), patterns: oneOrMore(pattern(), MOST_PATTERNS).describe('Patterns of them.') })
    .optional()
    .describe('Patterns of header fields.'),
  messageSizeOver: size().optional().describe('The message has as many octets, or more.'),
  attachmentSizeOver: size().optional().describe('An attachment has as many octets when it is decoded, or more.'),
  attachmentName: patterns().describe('Patterns of the name of an attachment, or of a file in an archive.'),
  attachmentExtension: oneOrMore(z.string().regex(/^\.?[^.\s/\\]{1,30}$/, 'expected an extension such as exe'))
    .optional()
    .describe('Extensions of attachments, or of files in archives.'),
  messageType: oneOrMore(z.enum(MESSAGE_TYPES))
    .optional()
    .describe('What kind of message it is; `voice` and `fax` are what the agent `telephony` says.'),
  sclOver: z
    .int()
    .min(-1)
    .max(9)
    .optional()
    .describe('The spam confidence level that agents asked before have come to is as high, or higher.'),
})

export type Conditions = Settings<typeof conditionsSchema>

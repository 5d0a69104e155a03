// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { disclaimerSchema } from './disclaimer/disclaimer-schema.js'
import { changeableField, line, mailbox, oneOrMore } from './values.js'

/** Characters of the text of a refusal: a line of a reply has 512 octets at most (RFC 5321 section 4.5.3.1.5). */
const LONGEST_TEXT = 400

const ENHANCED = /^[45]\.7\.(?:1|9\d\d)$/

const rejection = z
  .strictObject({
    text: line(LONGEST_TEXT)
      .regex(/^[ -~]*$/, 'expected ASCII')
      .default('Message refused by a rule of this site')
      .describe('What the client is told.'),
    code: z
      .int()
      .refine((code) => /^[45][0-5]\d$/.test(String(code)) && code !== 421, 'expected a reply code from 400 to 559')
      .default(550)
      .describe('Reply code; with one of 4xx the client is to try again.'),
    enhanced: z
      .string()
      .regex(ENHANCED, 'expected 5.7.1 or one from 5.7.900 to 5.7.999, and the same with 4 in front for a code of 4xx')
      .optional()
      .describe('Enhanced status code (RFC 3463). When absent `5.7.1`, or `4.7.1` with a code of 4xx.'),
  })
  .refine(({ code, enhanced }) => enhanced === undefined || enhanced.startsWith(String(code).charAt(0)), {
    path: ['enhanced'],
    message: 'expected a status code of the same class as the reply code',
  })

const addresses = () => oneOrMore(mailbox()).optional()

/** One thing that a rule does. */
export const actionSchema = z
  .strictObject({
    addRecipients: addresses().describe('Get the message, too; named in its To field.'),
    copyTo: addresses().describe('Get the message, too; named in its Cc field.'),
    blindCopyTo: addresses().describe('Get the message, too; named nowhere.'),
    redirectTo: addresses().describe('Get the message instead of its recipients.'),
    delete: z.literal(true).optional().describe('The client is told that all is well, and nobody gets the message.'),
    disconnect: z.literal(true).optional().describe('The client gets 421 and the connection is closed.'),
    reject: rejection.optional().describe('The message is refused.'),
    quarantine: mailbox().optional().describe('The mailbox that gets the message instead of its recipients.'),
    logEvent: line(200).optional().describe('A line for the log.'),
    prependSubject: line(100)
      .optional()
      .describe('Goes in front of the subject, unless the subject begins with it already.'),
    setHeader: z
      .strictObject({
        name: changeableField().describe('Name of the header field.'),
        value: line(900).describe('What it is to say.'),
      })
      .optional()
      .describe('One header field, instead of all of its name.'),
    removeHeader: oneOrMore(changeableField()).optional().describe('Names of header fields that go.'),
    disclaimer: disclaimerSchema.optional().describe('A text for whoever reads the message.'),
    setScl: z
      .int()
      .min(-1)
      .max(9)
      .optional()
      .describe('Spam confidence level, whatever agents have said before (`X-MS-Exchange-Organization-SCL`).'),
  })
  .refine((action) => Object.values(action).filter((value) => value !== undefined).length === 1, {
    message: 'expected one action; several are several entries of the list',
  })

export type Action = Settings<typeof actionSchema>

// SPDX-License-Identifier: MIT

import { z } from '@portico/config'
import { mailboxOf } from '../address.js'
import { headerField } from '../agents/header-text.js'
import { isNetwork } from '../agents/network-list.js'
import { patternOf } from './pattern.js'
import { foldText } from './words.js'

/** Values of one condition: each of them is looked for in every text. */
const MOST_VALUES = 1_000
/** Patterns of one condition: each costs far more than a word. */
export const MOST_PATTERNS = 100
/** Characters of one word or phrase. */
const LONGEST_WORD = 128

/** One value, or a list of them of which one has to fit. */
export function oneOrMore<T extends z.ZodType>(value: T, most = MOST_VALUES) {
  return z.union([value, z.array(value).min(1).max(most)]).transform((given) => {
    return (Array.isArray(given) ? given : [given]) as readonly z.output<T>[]
  })
}

/** A word or a phrase. */
export const word = () =>
  z
    .string()
    .max(LONGEST_WORD)
    .refine((text) => foldText(text).trim() !== '', 'expected a word or a phrase')

/** A regular expression, compiled. */
export const pattern = () =>
  z.string().transform((text, context) => {
    try {
      return patternOf(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: `expected a pattern of RE2: ${(error as Error).message}` })
      return z.NEVER
    }
  })

/** A domain, or `*.` and a domain for all below it. */
export const domain = () => z.string().regex(/^(?:\*\.)?[^\s@*]+$/, 'expected a domain, or *.domain for those below it')

/** An address or a CIDR block. */
export const network = () => z.string().refine(isNetwork, 'expected an address or a CIDR block')

/** Somebody who is to get a message. */
export const mailbox = () =>
  z.string().transform((text, context) => {
    const found = mailboxOf(text)
    if (found !== undefined && found.domain !== '' && !found.international) return found
    context.addIssue({ code: 'custom', message: 'expected an address in ASCII' })
    return z.NEVER
  })

/** Name of a header field. */
export const fieldName = () =>
  z.string().refine((text) => headerField(text, '-') !== undefined, 'expected the name of a header field')

/** Fields that say how the rest is to be read, or by which a message that goes in circles is found. */
const KEPT = /^(?:received|return-path|content-.*|mime-version|x-portico-.*)$/i

/** Name of a header field that a rule may change. */
export const changeableField = () =>
  fieldName().refine(
    (text) => !KEPT.test(text),
    'expected another field: Received, Return-Path, MIME-Version, Content-* and X-Portico-* stay as they are',
  )

/** One line without controls, which is not encoded already. */
export const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((text) => !/[\x00-\x1f\x7f]|=\?/.test(text), 'expected one line of text')

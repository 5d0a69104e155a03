// SPDX-License-Identifier: MIT
import { isIP } from 'node:net'
import { networksOf } from '@portico/base'
import { parseV4 } from '@portico/net'
import { reversedLabels } from '../dns/dns-name.js'
import type { ProviderSettings } from './dns-list-schema.js'

/** What the answer of a list means. `odd`: it is not an answer about its subject, and says something of the list instead. */
export type Reading =
  | { readonly kind: 'listed'; readonly answer: string }
  | { readonly kind: 'clear' }
  | { readonly kind: 'odd'; readonly answer: string }

/** Where answers are (RFC 5782 section 2.1): anything else is no list's, but perhaps that of somebody who has bought its domain. */
const ANSWERS = networksOf(['127.0.0.0/8'])
/** Spamhaus says there that it does not answer us, and why: such as too many questions, or those of a public resolver. */
const ERRORS = networksOf(['127.255.255.0/24'])
const CLEAR: Reading = { kind: 'clear' }

/** One list. */
export interface Provider {
  readonly settings: ProviderSettings
  /** The name under which it has a subject. Undefined for what it cannot list. */
  nameOf(subject: string): string | undefined
  /** What its addresses for such a name mean. */
  read(answers: readonly string[]): Reading
}

export function providerOf(settings: ProviderSettings): Provider {
  const counts = countingOf(settings.answers)
  return {
    settings,
    nameOf(subject) {
      const labels = settings.of === 'client' ? reversedLabels(subject) : domainOf(subject)
      return labels === undefined ? undefined : `${labels}.${settings.zone}`
    },
    read(answers) {
      const odd = answers.find((answer) => !ANSWERS.contains(answer) || ERRORS.contains(answer))
      const answer = answers.find((one) => ANSWERS.contains(one) && !ERRORS.contains(one) && counts(one))
      if (answer !== undefined) return { kind: 'listed', answer }
      return odd === undefined ? CLEAR : { kind: 'odd', answer: odd }
    },
  }
}

function countingOf(answers: ProviderSettings['answers']): (answer: string) => boolean {
  if (answers === 'any') return () => true
  if ('mask' in answers) {
    const mask = bitsOf(answers.mask)
    return (answer) => (bitsOf(answer) & mask) !== 0
  }
  const networks = networksOf(answers)
  return (answer) => networks.contains(answer)
}

/** Those behind the first octet, which all answers have in common. */
function bitsOf(address: string): number {
  return parseV4(address).readUIntBE(1, 3)
}

/** A domain with a dot: a single label and an address literal are on no list. */
function domainOf(subject: string): string | undefined {
  const domain = subject.endsWith('.') ? subject.slice(0, -1) : subject
  return domain.includes('.') && isIP(domain) === 0 && !domain.startsWith('[') ? domain : undefined
}

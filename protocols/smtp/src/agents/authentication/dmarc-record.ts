// SPDX-License-Identifier: MIT
import { type TagList, trimBlanks } from './tag-list.js'

/** What a domain wants to become of messages that are not its own (RFC 9989 section 4.7). */
export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

/** A DMARC record. */
export interface DmarcRecord {
  readonly policy: DmarcPolicy
  /** For domains below, and for those of them that do not exist. */
  readonly subdomains: DmarcPolicy
  readonly nonexistent: DmarcPolicy
  readonly strictDkim: boolean
  readonly strictSpf: boolean
  /** The domain is where others register theirs (`y`), or is not though a record above is (`n`). */
  readonly publicSuffix: 'y' | 'n' | 'u'
  /** Of 100 messages that fail so many are to be treated as the policy says (RFC 7489 section 6.3); with `t=y` none (RFC 9989). */
  readonly percent: number
}

const LONGEST_RECORD = 4 * 1024
const VERSION = /^[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/

/** Of the texts at `_dmarc` the one record; undefined where there is none, or several, of which none counts (RFC 9989 section 4.10). */
export function pickRecord(texts: readonly string[]): DmarcRecord | undefined {
  const candidates = texts.filter((text) => VERSION.test(text))
  const [text] = candidates
  return text === undefined || candidates.length > 1 ? undefined : parseRecord(text)
}

/** Undefined for a record that does not count: no policy and nobody to report to. */
export function parseRecord(text: string): DmarcRecord | undefined {
  if (text.length > LONGEST_RECORD) return undefined
  const tags = tagsIn(text)
  const written = policyOf(tags.get('p'))
  // RFC 7489 section 6.6.3: a record with a policy that cannot be read is one for reports.
  const policy = written ?? (tags.has('rua') || !tags.has('p') ? 'none' : undefined)
  if (policy === undefined) return undefined
  const subdomains = policyOf(tags.get('sp')) ?? policy
  const suffix = tags.get('psd')?.toLowerCase()
  return {
    policy,
    subdomains,
    nonexistent: policyOf(tags.get('np')) ?? subdomains,
    strictDkim: tags.get('adkim')?.toLowerCase() === 's',
    strictSpf: tags.get('aspf')?.toLowerCase() === 's',
    publicSuffix: suffix === 'y' || suffix === 'n' ? suffix : 'u',
    percent: tags.get('t')?.toLowerCase() === 'y' ? 0 : percentOf(tags.get('pct')),
  }
}

/**
 * What cannot be read is left out and the rest counts, the first tag of a name (RFC 9989 section 4.7): a slip in the list of those who
 * get reports must not cost a domain its policy.
 */
function tagsIn(text: string): TagList {
  const tags = new Map<string, string>()
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    const name = trimBlanks(part.slice(0, Math.max(equals, 0))).toLowerCase()
    if (name !== '' && !tags.has(name)) tags.set(name, trimBlanks(part.slice(equals + 1)))
  }
  return tags
}

function policyOf(text: string | undefined): DmarcPolicy | undefined {
  const policy = text?.toLowerCase()
  return policy === 'none' || policy === 'quarantine' || policy === 'reject' ? policy : undefined
}

function percentOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Math.min(Number(text), 100) : 100
}

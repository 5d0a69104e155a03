// SPDX-License-Identifier: MIT
import type { MethodResult } from '../../message/trace.js'
import type { DmarcDomains, Organization, PlacedRecord } from './dmarc-domains.js'
import type { DmarcPolicy } from './dmarc-record.js'

/** Domains that a message was proved to come from. `pending`: the proof could not be looked at for now. */
export interface Proof {
  readonly method: 'spf' | 'dkim'
  readonly domain: string
  readonly pending: boolean
}

/** What became of one author's domain (RFC 9989 section 5.3). */
export interface DmarcVerdict {
  readonly result: 'none' | 'pass' | 'fail' | 'temperror'
  readonly domain: string
  /** What the domain wants, before anybody has drawn lots. */
  readonly policy?: DmarcPolicy
  readonly percent?: number
}

/** Holds a domain of From against what is proved. Never rejects. */
export async function judgeAuthor(
  domain: string,
  proofs: readonly Proof[],
  domains: DmarcDomains,
): Promise<DmarcVerdict> {
  const organization = await domains.organizationOf(domain)
  if (organization.kind === 'away') return { result: 'temperror', domain }
  const found = policyRecord(domain, organization)
  if (found === undefined) return { result: 'none', domain }
  const { strictDkim, strictSpf, percent } = found.record
  let pending = false
  for (const proof of proofs) {
    const strict = proof.method === 'dkim' ? strictDkim : strictSpf
    const aligned = await isAligned(proof.domain, domain, organization, strict, domains)
    if (aligned === true && !proof.pending) return { result: 'pass', domain, policy: found.record.policy }
    pending ||= aligned !== false
  }
  const policy = await policyFor(domain, found, domains)
  return pending ? { result: 'temperror', domain, policy } : { result: 'fail', domain, policy, percent }
}

/** RFC 9989 section 4.10.1: its own record, else that of its organization, else that of the suffix above. */
function policyRecord(
  domain: string,
  { organization, records }: Extract<Organization, { kind: 'known' }>,
): PlacedRecord | undefined {
  const at = (name: string): PlacedRecord | undefined => records.find((placed) => placed.domain === name)
  return at(domain) ?? at(organization) ?? records.find(({ record }) => record.publicSuffix === 'y')
}

async function policyFor(domain: string, { domain: place, record }: PlacedRecord, domains: DmarcDomains) {
  if (place === domain) return record.policy
  if (record.nonexistent === record.subdomains) return record.subdomains
  return (await domains.isMissing(domain)) ? record.nonexistent : record.subdomains
}

/** RFC 9989 section 4.4. `pending`: nobody knows for now. */
async function isAligned(
  proved: string,
  author: string,
  { organization }: Extract<Organization, { kind: 'known' }>,
  strict: boolean,
  domains: DmarcDomains,
): Promise<boolean | 'pending'> {
  if (proved === author) return true
  // Organizations are at least one label below what others register domains in.
  if (strict || lastTwo(proved) !== lastTwo(author)) return false
  const other = await domains.organizationOf(proved)
  return other.kind === 'away' ? 'pending' : other.organization === organization
}

function lastTwo(domain: string): string {
  return domain.split('.').slice(-2).join('.')
}

/** The milder policy for messages on which the lot did not fall (RFC 7489 section 6.6.4). */
export function drawn(policy: DmarcPolicy, percent: number, random: () => number): DmarcPolicy {
  if (percent >= 100 || random() * 100 < percent) return policy
  return policy === 'reject' ? 'quarantine' : 'none'
}

const SEVERITY: readonly DmarcVerdict['result'][] = ['none', 'pass', 'temperror', 'fail']
const POLICIES: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject']

/** Of several authors the one with the worst verdict (RFC 7489 section 6.6.1). */
export function worst([first, ...others]: readonly [DmarcVerdict, ...DmarcVerdict[]]): DmarcVerdict {
  return others.reduce((one, other) => (weight(other) > weight(one) ? other : one), first)
}

function weight({ result, policy }: DmarcVerdict): number {
  return SEVERITY.indexOf(result) * POLICIES.length + POLICIES.indexOf(policy ?? 'none')
}

/** For Authentication-Results (RFC 9989 section 7, RFC 8601 section 2.7). `applied`: what became of the message, where it failed. */
export function dmarcResult(
  { result, domain, policy }: DmarcVerdict,
  applied?: { readonly policy: DmarcPolicy; readonly comment?: string },
): MethodResult {
  const wanted = policy === undefined ? undefined : `p=${policy}`
  const comment = [wanted, applied?.comment].filter((part) => part !== undefined).join(' ')
  return {
    method: 'dmarc',
    result,
    ...(comment === '' ? {} : { comment }),
    properties: [
      ['header.from', domain],
      ...(applied === undefined ? [] : [['policy.dmarc', applied.policy] as const]),
    ],
  }
}

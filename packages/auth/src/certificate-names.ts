// SPDX-License-Identifier: MIT
import { X509Certificate } from 'node:crypto'
import { type CertificateFacts, saslprep } from '@portico/sasl'
import { fingerprintOf } from './fingerprint.js'
import type { AuthSettings } from './settings.js'

/** How a client certificate becomes an account: the `auth.certificates` block. */
export type CertificatePolicy = AuthSettings['certificates']

/** Only accounts that name the certificate. */
export const BY_FINGERPRINT: CertificatePolicy = { user: 'fingerprint', domain: 'keep', fromBalancers: false }

/** What a client certificate says of its owner. At least one of the two is there. */
export interface CertificateNames {
  /** SHA-256 over its DER, in lower-case hex. Absent: a balancer has seen it and tells its common name only. */
  readonly fingerprint?: string
  /** The account's name, when the site takes one from certificates and this one has exactly one. */
  readonly name?: string
}

/** `undefined` when nobody can be found by it: TLS did not find it good, or nothing of it may be used here. */
export function namesOf(certificate: CertificateFacts, policy: CertificatePolicy): CertificateNames | undefined {
  if (!certificate.authorized) return undefined
  const { raw, commonName } = certificate
  if (raw === undefined) {
    const told = policy.fromBalancers && policy.user === 'commonName' ? accountName(commonName, policy) : undefined
    return told === undefined ? undefined : { name: told }
  }
  const name = policy.user === 'fingerprint' ? undefined : accountName(writtenName(raw, policy.user), policy)
  return { fingerprint: fingerprintOf(raw), ...(name === undefined ? {} : { name }) }
}

function accountName(written: string | undefined, { domain, addDomain }: CertificatePolicy): string | undefined {
  if (written === undefined || written.length > 1024 || /\p{Cc}/u.test(written)) return undefined
  const at = domain === 'strip' ? written.lastIndexOf('@') : -1
  const plain = at < 0 ? written : written.slice(0, at)
  const name = saslprep(addDomain === undefined || plain.includes('@') ? plain : `${plain}@${addDomain}`)
  return plain === '' || !name ? undefined : name
}

/** Two values of a field are two people: then it is nobody's. */
function writtenName(der: Uint8Array, field: 'commonName' | 'email' | 'upn'): string | undefined {
  try {
    const certificate = new X509Certificate(der)
    const found = field === 'commonName' ? commonNames(certificate) : alternativeNames(certificate, field)
    return found.length === 1 ? found[0] : undefined
  } catch {
    return undefined
  }
}

function commonNames(certificate: X509Certificate): readonly string[] {
  const { CN }: { readonly CN?: string | readonly string[] } = certificate.toLegacyObject().subject
  return typeof CN === 'string' ? [CN] : (CN ?? [])
}

/** `email:a@b, othername:UPN:c@d, DNS:e`; a value that holds one of these signs is written as a string of JSON. */
const ALTERNATIVE = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/gy

/** rfc822Name (RFC 5280 section 4.2.1.6), or the user principal name that directories write into otherName. */
function alternativeNames({ subjectAltName = '' }: X509Certificate, field: 'email' | 'upn'): readonly string[] {
  const names: string[] = []
  for (const [, kind = '', text = ''] of subjectAltName.matchAll(ALTERNATIVE)) {
    const value: string = text.startsWith('"') ? JSON.parse(text) : text
    if (field === 'email' && kind === 'email') names.push(value)
    if (field === 'upn' && kind === 'othername' && value.startsWith('UPN:')) names.push(value.slice(4))
  }
  return names
}

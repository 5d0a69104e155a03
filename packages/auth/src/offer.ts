// SPDX-License-Identifier: MIT
import type { ProtocolName } from '@portico/base'
import type { Mechanism, SecretKind } from '@portico/sasl'
import type { AuthContext } from './authenticator.js'
import { BY_FINGERPRINT, type CertificatePolicy, namesOf } from './certificate-names.js'
import type { CredentialSource } from './credential-source.js'

export interface OfferOptions {
  readonly sources: readonly CredentialSource[]
  readonly mechanisms: readonly Mechanism[]
  readonly proofsOf?: 'every' | 'any'
  readonly passwordProtocols?: ReadonlySet<ProtocolName>
  readonly anonymousUser?: string
  readonly certificates?: CertificatePolicy
}

/** The mechanisms that can succeed on this leg, in their order; with or without those that show the password. */
export type Offer = (context: AuthContext, passwords: boolean) => readonly Mechanism[]

/** Asked anew each time: what a users file holds changes while we run. */
export function createOffer(options: OfferOptions): Offer {
  const {
    sources,
    mechanisms,
    proofsOf = 'every',
    passwordProtocols,
    anonymousUser,
    certificates = BY_FINGERPRINT,
  } = options
  const possible = mechanisms.filter(({ needs }) => canServe(sources, needs, anonymousUser !== undefined))
  return (context, passwords) => {
    const { certificate } = context.client
    const onlyPasswords = passwordProtocols?.has(context.client.protocol) === true
    return possible.filter((mechanism) => {
      const { needs, secret, bindsChannel, sendsPasswordInClear, answersGreeting } = mechanism
      if (sendsPasswordInClear) return passwords
      if (answersGreeting === true && context.timestamp === undefined) return false
      if (onlyPasswords && !sources.some((source) => source.bringsPasswords === true && servesIt(source, needs)))
        return false
      if (needs === 'certificate' && (certificate === undefined || namesOf(certificate, certificates) === undefined))
        return false
      if (secret !== undefined && !provable(sources, secret, proofsOf)) return false
      return bindsChannel !== true || canBind(context)
    })
  }
}

/** An acceptor (GSSAPI, NTLM against a domain) brings its own verifier. */
function canServe(sources: readonly CredentialSource[], needs: Mechanism['needs'], anonymous: boolean): boolean {
  if (needs === 'nothing') return anonymous
  return needs === 'acceptor' || sources.some((source) => servesIt(source, needs))
}

function servesIt({ serves }: CredentialSource, needs: Mechanism['needs']): boolean {
  return needs !== 'nothing' && needs !== 'acceptor' && serves.has(needs)
}

function provable(sources: readonly CredentialSource[], kind: SecretKind, proofsOf: 'every' | 'any'): boolean {
  const held = sources.map((source) => source.holds?.(kind))
  const some = held.some((one) => one !== undefined && one.can > 0)
  return some && (proofsOf === 'any' || held.every((one) => one !== undefined && one.can === one.of))
}

function canBind({ channel }: AuthContext): boolean {
  return (channel.channelBinding('tls-exporter') ?? channel.channelBinding('tls-server-end-point')) !== undefined
}

// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Cancellation, Endpoint, Principal, ProtocolName, Secret } from '@portico/base'
import type { CertificateFacts, SecretKind, StoredSecret } from '@portico/sasl'
import type { AcceptorSource } from './acceptor.js'
import type { EarlierSignIn } from './authenticator.js'
import type { AuthCache } from './cache.js'
import type { CertificateNames } from './certificate-names.js'

/** Where verifiers live: a file, a lookup service, the backend itself. Each has a name of its own in logs. */
export interface CredentialSource extends AsyncDisposable, AcceptorSource {
  readonly name: string
  /** What it can do, so that only mechanisms that can succeed are offered. */
  readonly serves: ReadonlySet<'verify-plain' | 'verify-response' | 'verify-token' | 'lookup' | 'certificate'>
  verify(request: CredentialRequest, signal: Cancellation): Promise<CredentialAnswer>
  /**
   * Does what a wrong password of a known user would have cost. Asked for when no source knew the user, so that the time of the
   * answer does not tell who has an account. Absent: an unknown user costs this source as much as any other. An answer only when
   * the work could not be done, which a known user would have been told too.
   */
  unknownUserWork?(request: CredentialRequest, signal: Cancellation): Promise<Unavailable | undefined>
  /** The one name behind all spellings of an account, where it is known without a question; failed sign-ins count under it. */
  canonical?(presented: string): string | undefined
  /** Its answers may bring the password for the backend: then a mechanism that shows none serves backends that want one. */
  readonly bringsPasswords?: boolean
  /** With `lookup` or `verify-response`: how many accounts can prove in that way, of how many that it proves at all. */
  holds?(kind: SecretKind): { readonly can: number; readonly of: number }
  /** What a proof in somebody's name is checked against. */
  lookup?(request: LookupRequest, signal: Cancellation): Promise<SecretReply>
  /** With `certificate`: the account of a client certificate that TLS has found good. */
  ownerOf?(request: CertificateRequest, signal: Cancellation): Promise<Exclude<CredentialAnswer, { kind: 'deferred' }>>
  /** With `verify-token`: whose a bearer token is. It says who; the token itself is put into the proof by the auth core. */
  verifyToken?(request: TokenRequest, signal: Cancellation): Promise<Exclude<CredentialAnswer, { kind: 'deferred' }>>
  /**
   * What has become of an account that was proved before. Absent: nothing can be told, and what the source said then still holds.
   * `not-here` is no objection of a source that did not accept it, and a refusal of the one that did.
   */
  account?(request: AccountRequest, signal: Cancellation): Promise<CredentialAnswer>
}

/** A question for the owner of a token; `authcid` names the token for the log. */
export interface TokenRequest extends Omit<CredentialRequest, 'password' | 'cache'> {
  readonly token: Secret<string>
}

/** A question for an account that was proved before. */
export interface AccountRequest extends Omit<CredentialRequest, 'password' | 'cache' | 'authzid'> {
  readonly earlier: EarlierSignIn
}

/** A question for the owner of a client certificate; `authcid` is not known yet and names the certificate for the log. */
export interface CertificateRequest extends Omit<CredentialRequest, 'password' | 'cache'> {
  readonly names: CertificateNames
}

/** A question for what is stored. */
export interface LookupRequest extends Omit<CredentialRequest, 'password' | 'cache'> {
  readonly secret: SecretKind
}

/** The verdict once the proof is known to be right or wrong. */
export type Concluded = Extract<CredentialAnswer, { kind: 'accepted' | 'rejected' }>

export type SecretReply =
  /** `ifProved` holds if the proof is right: an account may be barred all the same. */
  | { readonly kind: 'found'; readonly secret: StoredSecret; readonly ifProved: Concluded }
  /** The source judges the response itself; both as they crossed the wire. */
  | {
      readonly kind: 'judge'
      judge(challenge: string, response: string, signal: Cancellation): Promise<Concluded | Unavailable>
    }
  /** Another source may know the name. `decoy` stands in when none does: the same for the name each time. */
  | { readonly kind: 'not-here'; readonly decoy?: StoredSecret }
  | Unavailable

/** One question to a source. It holds the password only inside a Secret. */
export interface CredentialRequest {
  readonly authcid: string
  readonly authzid?: string
  readonly password: Secret<string>
  readonly mechanism: string
  readonly client: ClientFacts
  /** Which attempt of this session it is, from 1. */
  readonly attempt: number
  /** With whom it waits where work is scarce, so that others do not wait for it; with its client's address when absent. */
  readonly share?: string
  /** What was proved lately, for sources whose checks are expensive. Absent: check each time. */
  readonly cache?: AuthCache
}

/** What is known of the client while it authenticates. */
export interface ClientFacts {
  readonly protocol: ProtocolName
  readonly sessionId: string
  readonly peer: Endpoint
  readonly local: Endpoint
  /** Names of the configured networks that hold the peer. */
  readonly networks: readonly string[]
  readonly encrypted: boolean
  readonly tlsVersion?: string
  readonly tlsCipher?: string
  /** The listener asked for a certificate, shown or not. */
  readonly certificateAsked?: boolean
  /** Shown in TLS by the client. */
  readonly certificate?: CertificateFacts
}

export type CredentialAnswer =
  | { readonly kind: 'accepted'; readonly principal: Principal }
  /** The backend will say. Only for plain secrets. */
  | { readonly kind: 'deferred'; readonly principal: Principal }
  | { readonly kind: 'rejected'; readonly reason: AuthFailureReason; readonly waitMs?: number }
  /** This source does not know the user: ask the next one. */
  | { readonly kind: 'not-here' }
  | Unavailable

/** Ends the chain as a temporary failure: a source that is away never makes another one answer for it. */
export interface Unavailable {
  readonly kind: 'unavailable'
  readonly cause?: unknown
}

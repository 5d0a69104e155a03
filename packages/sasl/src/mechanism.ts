// SPDX-License-Identifier: MIT
import type { AuthFailureReason, Cancellation, Strength } from '@portico/base'

/** One SASL mechanism of the server (RFC 4422). Pure: everything it asks of the world goes through its verifier. */
export interface Mechanism {
  /** Registered name, for instance `SCRAM-SHA-256-PLUS`. */
  readonly name: string
  /** What a credential source must be able to do for it. */
  readonly needs:
    | 'nothing'
    | 'verify-plain'
    | 'verify-response'
    | 'verify-token'
    | 'lookup'
    | 'certificate'
    | 'acceptor'
  /** Shows the secret itself: hidden and refused until the leg is encrypted (RFC 4616 section 6). */
  readonly sendsPasswordInClear: boolean
  readonly strength: Strength
  /** For `lookup` and `verify-response`: the stored form that the proof is made from. */
  readonly secret?: SecretKind
  /** Ties the proof to the TLS channel (RFC 5056): of no use on a leg that offers no channel binding. */
  readonly bindsChannel?: boolean
  /** No SASL mechanism: the proof answers the timestamp that the protocol's greeting carried (POP3's APOP). */
  readonly answersGreeting?: boolean
  begin(context: MechanismContext): Exchange
}

export interface MechanismContext {
  readonly verifier: CredentialVerifier
  readonly channel: ChannelFacts
  readonly clientCertificate?: CertificateFacts
  /** The server's name, for challenges that carry one. */
  readonly localName: string
  /** The timestamp of the greeting, where it carried one. */
  readonly timestamp?: string
  /** Names that were offered on this leg, which a client may claim not to have seen (RFC 5802 section 6). */
  readonly offered: readonly string[]
  readonly signal: Cancellation
}

/** A certificate that the client has shown in TLS. */
export interface CertificateFacts {
  /** It comes from an authority that the listener, or the balancer before it, takes certificates of. */
  readonly authorized: boolean
  /** Why not, in the words of the TLS library. */
  readonly reason?: string
  /** Its DER. Absent: a trusted balancer took TLS off, and tells only {@link commonName}. */
  readonly raw?: Uint8Array
  /** The subject's common name, as a trusted balancer tells it. */
  readonly commonName?: string
}

/** What TLS can prove about the channel (RFC 9266, RFC 5929). */
export interface ChannelFacts {
  readonly encrypted: boolean
  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Uint8Array | undefined
}

/** The only door from a mechanism to the world. Who the user is afterwards is the verifier's business. */
export interface CredentialVerifier {
  verifyPlain(
    credentials: { readonly authcid: string; readonly authzid: string | undefined; readonly password: string },
    signal: Cancellation,
  ): Promise<VerifierAnswer>
  /**
   * What is stored for a name, to check a proof against. An unknown name gets something of its own that stays the same, so that
   * it cannot be told from a known one; `conclude` refuses it whatever was proved. A throttled client is rejected here.
   */
  lookup(
    question: { readonly authcid: string; readonly authzid: string | undefined; readonly secret: SecretKind },
    signal: Cancellation,
  ): Promise<LookupAnswer>
  /** The owner of a client certificate that TLS has found good. */
  verifyCertificate(
    shown: { readonly certificate: CertificateFacts; readonly authzid: string | undefined },
    signal: Cancellation,
  ): Promise<{ readonly kind: 'accepted'; readonly authcid: string } | (VerifierAnswer & { readonly kind: 'rejected' })>
  /** Somebody who proves nothing; `trace` is what they say of themselves, for the log (RFC 4505 section 2). */
  anonymous(trace: string, signal: Cancellation): Promise<VerifierAnswer>
}

/** The stored forms that a proof can be checked against. */
export type SecretKind = 'SCRAM-SHA-1' | 'SCRAM-SHA-256' | 'CRAM-MD5' | 'APOP'

export type StoredSecret =
  /** RFC 5802 section 3. */
  | {
      readonly kind: 'scram'
      readonly salt: Uint8Array
      readonly iterations: number
      readonly storedKey: Uint8Array
      readonly serverKey: Uint8Array
    }
  /** Computes the right digest for a challenge (RFC 2195 section 2) or for a timestamp (RFC 1939 section 7). */
  | { readonly kind: 'cram-md5' | 'apop'; digest(challenge: Uint8Array): Uint8Array }

export type LookupAnswer =
  | {
      readonly kind: 'found'
      readonly secret: StoredSecret
      /** Says whether the proof was right, once. The answer is the verdict: an account may be barred although the proof was right. */
      conclude(proved: boolean): Promise<VerifierAnswer>
    }
  /** Who knows what is stored does not give it away, but judges a response to a challenge; both as they crossed the wire. */
  | { readonly kind: 'judge'; judge(challenge: string, response: string): Promise<VerifierAnswer> }
  | { readonly kind: 'rejected'; readonly reason: AuthFailureReason }

export type VerifierAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly reason: AuthFailureReason }

/** One run of a mechanism. Disposed on cancel, disconnect and drain: it then holds no secret any more. */
export interface Exchange extends AsyncDisposable {
  /** `undefined` is an absent initial response, which is not the same as an empty one (RFC 4422 section 3). One step at a time. */
  step(response: Uint8Array | undefined): Promise<ExchangeStep>
}

export type ExchangeStep =
  /** A mechanism's last words (SCRAM `v=`) go out as a challenge too. */
  | { readonly kind: 'challenge'; readonly data: Uint8Array }
  | { readonly kind: 'success'; readonly authcid: string; readonly authzid?: string }
  | { readonly kind: 'failure'; readonly reason: AuthFailureReason }

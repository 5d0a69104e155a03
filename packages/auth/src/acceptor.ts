// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { ChannelFacts } from '@portico/sasl'
import type { HandshakeScheme } from './access.js'
import type { ClientFacts, Concluded, Unavailable } from './credential-source.js'

/** The part of a credential source that can be the server of a handshake: NTLM ([MS-NLMP]), SPNEGO (RFC 4178, RFC 4559). */
export interface AcceptorSource {
  /** Schemes whose server it can be; none when absent. */
  readonly accepts?: ReadonlySet<HandshakeScheme>
  /** Begins one handshake. Asked only for a scheme of `accepts`. */
  accept?(scheme: HandshakeScheme, request: HandshakeRequest): Handshake
}

export interface HandshakeRequest {
  readonly client: ClientFacts
  /** For channel bindings (RFC 5929). */
  readonly channel: ChannelFacts
  readonly localName: string
}

/** The server's side of one handshake. It belongs to one connection; disposed when it is over, however it went. */
export interface Handshake extends AsyncDisposable {
  /** The client's next octets, not empty. One step at a time. A rejection counts as {@link Unavailable}. */
  step(token: Uint8Array, signal: Cancellation): Promise<HandshakeStep>
}

export type HandshakeStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array }
  /**
   * The client's last octets are here and not judged yet: guesses are counted before they are looked at. `claimed` is the name in
   * them; absent where there is nothing to guess, as in a ticket.
   */
  | {
      readonly kind: 'complete'
      readonly claimed?: string
      judge(signal: Cancellation): Promise<HandshakeVerdict>
    }
  | { readonly kind: 'malformed' }
  | Unavailable

/** `last` is for the client along with the verdict. */
export type HandshakeVerdict = (Concluded | Unavailable) & { readonly last?: Uint8Array }

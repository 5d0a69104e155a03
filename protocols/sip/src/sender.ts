// SPDX-License-Identifier: MIT
import type { TlsFacts } from '@portico/net'
import type { Sender } from './decide.js'
import type { SipSettings } from './schema.js'

/** Who somebody is to the site, by the networks that hold them and the certificate that they showed. */
export function senderOf(
  { peers, strangers }: SipSettings,
  networks: readonly string[],
  tls: Pick<TlsFacts, 'clientCertificate'> | undefined,
): Sender {
  const certified = peers.certificates && tls?.clientCertificate?.authorized === true
  const trusted = certified || peers.networks.some((name) => networks.includes(name))
  return { trusted, admitted: trusted || strangers === 'answer' }
}

// SPDX-License-Identifier: MIT
export { clientKey } from './admission.js'
export { backendErrorOfLeg, backendErrorOfRead, backendErrorOfUpgrade, backendTlsOptions } from './backend-legs.js'
export { chooseTransport, type TransportChoice, type TransportKind } from './choose-transport.js'
export { type Connected, type ConnectOptions, connectLeg } from './connect.js'
export * from './conversation.js'
export { converse } from './converse.js'
export {
  type Datagram,
  type DatagramListener,
  type DatagramOptions,
  type DatagramRefused,
  listenForDatagrams,
} from './datagram-listener.js'
export { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.js'
export type { HttpBody, HttpReply } from './http-connection.js'
export { canonicalAddress, parseV4, parseV6 } from './ipv6-text.js'
export * from './leg.js'
export { type Listener, type ListenOptions, listen, type RefusedBecause } from './listener.js'
export { formatLocalProxyHeader, formatProxyHeader, type ProxyFacts } from './proxy-format.js'
export { type ForwardedTls, type ProxyHeader, type ProxyParse, parseProxyHeader } from './proxy-header.js'
export { type Relay, relay } from './relay.js'
export * from './relay-types.js'
export { isReset } from './stream-handle.js'
export * from './timer-wheel.js'
export { createTlsAcceptor, type TlsAcceptorOptions } from './tls-acceptor.js'
export { createTimerWheel } from './wheel.js'

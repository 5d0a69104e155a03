// SPDX-License-Identifier: MIT
import { type Address, formatAddress } from '@portico/base'

/** Turns Node's error from binding a listener into one that says where, why and what can be done. */
export function listenFailure(cause: Error & { readonly code?: string }, address: Address): Error {
  return new Error(`cannot listen on ${formatAddress(address)}: ${remedy(cause, address)}`, { cause })
}

function remedy(cause: Error & { readonly code?: string }, address: Address): string {
  const low = address.kind === 'tcp' && address.port > 0 && address.port < 1024
  if (cause.code === 'EACCES' && low) {
    return (
      `ports below 1024 need a right (EACCES). Ways out: AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit; ` +
      `setcap cap_net_bind_service=+ep on the node binary; ` +
      `sysctl net.ipv4.ip_unprivileged_port_start; or start as root with a user: block`
    )
  }
  if (cause.code === 'EACCES') return 'permission denied (EACCES)'
  if (cause.code === 'EADDRINUSE') return 'another process listens there (EADDRINUSE)'
  if (cause.code === 'EADDRNOTAVAIL') return 'this machine does not have that address (EADDRNOTAVAIL)'
  return cause.message
}

// SPDX-License-Identifier: MIT

/** What a client of RPC over HTTP asks its proxy for ([MS-RPCH] section 2.2.2). Names nothing that we would connect to. */
export interface RpcServer {
  /** A host, or `guid@domain` for a mailbox. */
  readonly server: string
  readonly port: number
}

/** Characters of hosts and of mailbox names, without those that take a query apart. */
const RPC_SERVER = /^\?([\w!$'*+.@^`{|}~-]{1,254}):(\d{1,5})$/

/** Reads a query of the form `?server:port`; `undefined` for any other. */
export function readRpcServer(query: string): RpcServer | undefined {
  const [, server, port] = RPC_SERVER.exec(query) ?? []
  return server === undefined || port === undefined ? undefined : { server, port: Number(port) }
}

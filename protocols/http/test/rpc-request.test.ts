// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { readIncoming } from '../src/client/incoming.js'
import { parseRequestHead } from '../src/codec/head.js'
import { readRpcRequest } from '../src/outlook/rpc-request.js'

const LIMITS = { head: 65_536, target: 8_192, fields: 100 }
const PORTS = [6001, 6002, 6004]
const STORE = '/rpcproxy.dll?mbx1.example.com:6001'

/** What a request means; its target is what stands below the mount. */
function read(method: string, target: string, ...fields: readonly string[]) {
  const lines = [`${method} /rpc${target} HTTP/1.1`, 'Host: mail.example.com', ...fields, '', '']
  const head = parseRequestHead(Buffer.from(lines.join('\r\n')), LIMITS)
  if (head.kind !== 'request') throw new Error(`no request: ${JSON.stringify(head)}`)
  const request = readIncoming(head)
  if ('kind' in request) throw new Error(request.why)
  return readRpcRequest(request, request.path.slice('/rpc'.length), PORTS)
}

const channel = (direction: 'in' | 'out', port = 6001, mayRest = 0) => ({ kind: 'channel', direction, port, mayRest })
const refused = (status: number, why: string) => ({ kind: 'refused', status, why })

test.each([
  ['RPC_IN_DATA', 131_071, refused(400, 'bad-rpc-length')],
  ['RPC_IN_DATA', 131_072, channel('in')],
  ['RPC_IN_DATA', 1_073_741_824, channel('in')],
  ['RPC_IN_DATA', 2_147_483_648, channel('in')],
  ['RPC_IN_DATA', 2_147_483_649, refused(400, 'bad-rpc-length')],
  ['RPC_IN_DATA', 76, refused(400, 'bad-rpc-length')],
  ['RPC_IN_DATA', 17, refused(400, 'bad-rpc-length')],
  ['RPC_IN_DATA', 16, { kind: 'echo' }],
  ['RPC_IN_DATA', 0, { kind: 'echo' }],
  ['RPC_OUT_DATA', 0, { kind: 'echo' }],
  ['RPC_OUT_DATA', 16, { kind: 'echo' }],
  ['RPC_OUT_DATA', 17, refused(400, 'bad-rpc-length')],
  ['RPC_OUT_DATA', 75, refused(400, 'bad-rpc-length')],
  ['RPC_OUT_DATA', 76, channel('out')],
  ['RPC_OUT_DATA', 77, refused(400, 'bad-rpc-length')],
  ['RPC_OUT_DATA', 120, channel('out')],
  ['RPC_OUT_DATA', 1_073_741_824, refused(400, 'bad-rpc-length')],
])('%s with a body of %i octets (MS-RPCH sections 2.1.2.1.1, 2.1.2.1.2, 2.1.2.1.5)', (method, length, expected) => {
  expect(read(method, STORE, `Content-Length: ${length}`)).toEqual(expected)
})

test('a body without a length is no channel', () => {
  expect(read('RPC_IN_DATA', STORE, 'Transfer-Encoding: chunked')).toEqual(refused(400, 'bad-rpc-length'))
})

test.each([
  ['a host', '/rpcproxy.dll?mbx1.example.com:6002', channel('out', 6002)],
  ['a short name, in other letters', '/RpcProxy.DLL?MBX1:6004', channel('out', 6004)],
  ['a mailbox', '/rpcproxy.dll?b3a2f1d0-0000-4000-8000-00000000a11c@example.com:6001', channel('out')],
  ['the endpoint mapper', '/rpcproxy.dll?mbx1:593', refused(400, 'bad-rpc-port')],
  ['a port that is none', '/rpcproxy.dll?mbx1:99999', refused(400, 'bad-rpc-port')],
  ['a port in another spelling', '/rpcproxy.dll?mbx1:+6001', refused(400, 'bad-rpc-server')],
  ['no port', '/rpcproxy.dll?mbx1', refused(400, 'bad-rpc-server')],
  ['no server', '/rpcproxy.dll?:6001', refused(400, 'bad-rpc-server')],
  ['nothing', '/rpcproxy.dll', refused(400, 'bad-rpc-server')],
  ['two servers', '/rpcproxy.dll?mbx1:6001&mbx2:6001', refused(400, 'bad-rpc-server')],
  ['a path', '/rpcproxy.dll?mbx1/..:6001', refused(400, 'bad-rpc-server')],
  ['another page', '/rpcproxy.aspx?mbx1:6001', refused(404, 'bad-rpc-path')],
  ['something below', '/rpcproxy.dll/x?mbx1:6001', refused(404, 'bad-rpc-path')],
])('a request for %s (MS-RPCH section 2.2.2)', (_, target, expected) => {
  expect(read('RPC_OUT_DATA', target, 'Content-Length: 76')).toEqual(expected)
})

test('who only asks whether a proxy is here need not name a server, but no wrong one', () => {
  expect(read('RPC_IN_DATA', '/rpcproxy.dll', 'Content-Length: 0')).toEqual({ kind: 'echo' })
  expect(read('RPC_IN_DATA', '/rpcproxy.dll?mbx1:22', 'Content-Length: 0')).toEqual(refused(400, 'bad-rpc-port'))
})

test.each(['GET', 'POST', 'OPTIONS', 'RPC_CONNECT', 'rpc_in_data', 'constructor', '__proto__'])(
  '%s is no method of RPC over HTTP',
  (method) => {
    expect(read(method, STORE)).toEqual(refused(405, 'bad-rpc-method'))
  },
)

test.each([
  [['Pragma: MinConnTimeout=120'], 120_000],
  [['Pragma: No-cache', 'pragma: minconntimeout=14400'], 14_400_000],
  [['Pragma: No-cache, MinConnTimeout=1800, SessionId=5e0a0000-0000-4000-8000-000000000001'], 1_800_000],
  [['Pragma: MinConnTimeout=119'], 0],
  [['Pragma: MinConnTimeout=14401'], 0],
  [['Pragma: MinConnTimeout=1e4'], 0],
  [['Pragma: XMinConnTimeout=1800'], 0],
  [['X-Pragma: MinConnTimeout=1800'], 0],
])('%j lets a channel rest for %i ms (MS-RPCH section 2.1.2.1.1)', (fields, mayRest) => {
  expect(read('RPC_IN_DATA', STORE, 'Content-Length: 1073741824', ...fields)).toEqual(channel('in', 6001, mayRest))
})

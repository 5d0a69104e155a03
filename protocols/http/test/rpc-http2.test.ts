// SPDX-License-Identifier: MIT
import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import { ALICE, Http2Front } from './http2-front.js'

test.each(['RPC_IN_DATA', 'RPC_OUT_DATA'])('%s is sent to HTTP/1.1 (RFC 9113 section 7)', async (method) => {
  let asked = 0
  await using front = await Http2Front.start(
    () => {
      asked += 1
    },
    { http: { directories: [{ preset: 'rpc', auth: ['basic'] }] } },
  )
  const path = '/rpc/rpcproxy.dll?mbx1:6001'
  const stream = front.client().request({ ':method': method, ':path': path, 'content-length': 76, ...ALICE })
  stream.on('error', () => undefined)
  await new Promise((resolve) => stream.once('close', resolve))
  expect(stream.rstCode).toBe(constants.NGHTTP2_HTTP_1_1_REQUIRED)
  expect(asked).toBe(0)
})

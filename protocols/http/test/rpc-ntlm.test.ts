// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'
import { answering, Client, Front } from './harness.js'
import { accounts, authenticatorFor, TYPE_1, type3 } from './schemes-world.js'

const SUCCESS = 'HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 1073741824\r\n\r\n'

/** One request of a channel, as clients of RPC over HTTP write it; the body is left out. */
function ask(client: Client, token: Buffer, length: number): void {
  const authorization = `Authorization: NTLM ${token.toString('base64')}`
  client.send(
    'RPC_OUT_DATA /rpc/rpcproxy.dll?mbx1:6001 HTTP/1.1',
    'Host: x',
    authorization,
    `Content-Length: ${length}`,
    '',
    '',
  )
}

test('each channel signs in for itself by a handshake whose rounds have no body, and is the request that ends it', async () => {
  const heads: string[] = []
  await using front = await Front.start(
    answering(heads, () => SUCCESS),
    {
      settings: { directories: [{ preset: 'rpc', auth: ['ntlm'] }] },
      identity: { kind: 'header', name: 'X-User' },
      authenticator: authenticatorFor(accounts()),
    },
  )
  for (const user of ['kim', 'zoe']) {
    const client = await Client.connect(front.port)
    ask(client, TYPE_1, 0)
    expect(await client.take('401 Unauthorized\n')).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: NTLM \S+\r\n/)
    expect(heads.filter((head) => head.includes(`X-User: ${user}`))).toEqual([])
    ask(client, type3(user), 76)
    expect(await client.take('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 Success\r\n/)
    client.socket.destroy()
  }
  const users = heads.map((head) => /\r\nX-User: (.*)\r\n/.exec(head)?.[1])
  expect(users).toEqual(['kim', 'zoe'])
  for (const head of heads) expect(head).not.toMatch(/\r\nAuthorization:/i)
})

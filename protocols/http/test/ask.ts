// SPDX-License-Identifier: MIT
import { answering, Client, Front, type World } from './harness.js'

/** What the backend answers when a test does not care. */
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

/** One connection: what the client is sent for these octets until the close, and what the backend saw. */
export async function ask(text: string, answer = OK, world: World = {}) {
  const heads: string[] = []
  await using front = await Front.start(
    answering(heads, () => answer),
    world,
  )
  const client = await Client.connect(front.port)
  client.send(text)
  const received = await client.toEnd()
  return { received, heads, status: received.split('\r\n')[0], verdicts: front.verdicts, ended: await front.ended[0] }
}

/** A request with these lines and no content, that ends its connection; GET where the path does not begin with HEAD. */
export function get(path: string, ...lines: string[]): string {
  const start = path.startsWith('HEAD ') ? path : `GET ${path}`
  return [`${start} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n')
}

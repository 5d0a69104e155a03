// SPDX-License-Identifier: MIT
import { createServer } from 'node:net'

/** Below those that systems give to outgoing connections (Linux: from 32768): one of these would be taken before a server has it. */
const FIRST = 10_000
const LAST = 31_999

/** Each test process begins elsewhere and goes round, so that no two servers of a run are given the same. */
let next = FIRST + ((process.pid * 997) % (LAST - FIRST))

/** So many ports that nobody listens on, none of them given before by this process until all have been. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = next
    next = next === LAST ? FIRST : next + 1
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

// SPDX-License-Identifier: MIT
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ALL_STEPS } from '../../../src/agents/milter/constants.js'

/** A frame with its length. */
export function frame(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets.length)
  return Buffer.concat([length, octets])
}

/** The answer to an offer. */
export function terms(actions: number, steps = 0, version = 6): string {
  const numbers = Buffer.alloc(12)
  for (const [at, number] of [version, actions, steps].entries()) numbers.writeUInt32BE(number, at * 4)
  return `O${numbers.toString('latin1')}`
}

/** Answers, each without its length, to a command; undefined: what a milter with nothing to say would answer. */
export type Script = (command: string, text: string, socket: Socket) => readonly string[] | undefined

export interface FakeMilter extends AsyncDisposable {
  readonly endpoint: string
  /** What it was told: each command with what came with it, NUL as `|`. */
  readonly heard: string[]
  readonly connections: () => number
}

const ALL_ACTIONS = 0x3f

/** A milter that says what a test wants it to. */
export async function fakeMilter(script: Script = () => undefined, steps = 0): Promise<FakeMilter> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    let held = Buffer.alloc(0)
    socket.on('data', (piece) => {
      held = Buffer.concat([held, piece])
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
        const text = held.toString('latin1', 4, 4 + held.readUInt32BE(0))
        held = held.subarray(4 + text.length)
        heard.push(text[0] === 'O' ? 'O' : text.replaceAll('\0', '|'))
        const answers = script(text[0] ?? '', text.slice(1), socket) ?? usual(text[0] ?? '', steps)
        for (const answer of answers) socket.write(frame(answer))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function usual(command: string, steps: number): readonly string[] {
  if (command === 'O') return [terms(ALL_ACTIONS, steps & ALL_STEPS)]
  return 'ADKQ'.includes(command) ? [] : ['c']
}

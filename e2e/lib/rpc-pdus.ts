// SPDX-License-Identifier: MIT

/** Kinds of PDUs of connection-oriented RPC ([C706] section 12.6.4), and that of RPC over HTTP ([MS-RPCH] section 2.2.3.6). */
export const PTYPE = { request: 0, response: 2, fault: 3, bind: 11, bindAck: 12, rts: 20 } as const

/** Flags of an RTS PDU ([MS-RPCH] section 2.2.3.6.1). */
export const RTS = { none: 0, ping: 1, other: 2, recycle: 4, out: 0x10, eof: 0x20, echo: 0x40 } as const

/** Commands of an RTS PDU ([MS-RPCH] section 2.2.3.5). */
const COMMAND = {
  window: 0,
  ack: 1,
  timeout: 2,
  cookie: 3,
  lifetime: 4,
  keepAlive: 5,
  version: 6,
  empty: 7,
  negativeAnce: 9,
  ance: 10,
  group: 12,
  destination: 13,
} as const
type CommandName = keyof typeof COMMAND

/** Octets of a command behind its type. */
const SIZES: Readonly<Record<CommandName, number>> = {
  window: 4,
  ack: 24,
  timeout: 4,
  cookie: 16,
  lifetime: 4,
  keepAlive: 4,
  version: 4,
  empty: 0,
  negativeAnce: 0,
  ance: 0,
  group: 16,
  destination: 4,
}

/** Where a PDU is to be forwarded to ([MS-RPCH] section 2.2.3.3). */
export const FORWARD = { client: 0, inProxy: 1, server: 2, outProxy: 3 } as const

export interface Command {
  readonly name: CommandName
  readonly body: Buffer
}

/** A command that has a number, or nothing, in it. */
export function command(name: CommandName, value = 0): Command {
  const body = Buffer.alloc(SIZES[name])
  if (body.length === 4) body.writeUInt32LE(value)
  return { name, body }
}

export const cookie = (value: Buffer): Command => ({ name: 'cookie', body: value })
export const group = (value: Buffer): Command => ({ name: 'group', body: value })

/** So many octets have come on that channel, and so many more may ([MS-RPCH] section 2.2.3.4). */
export function ack(received: number, window: number, channel: Buffer): Command {
  const body = Buffer.alloc(24)
  body.writeUInt32LE(received, 0)
  body.writeUInt32LE(window, 4)
  channel.copy(body, 8)
  return { name: 'ack', body }
}

/** A PDU as it is on the wire: a common header of 16 octets, and what its kind has behind it. */
export function pdu(type: number, flags: number, callId: number, body: Buffer): Buffer {
  const head = Buffer.from([5, 0, type, flags, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt16LE(head.length + body.length, 8)
  head.writeUInt32LE(callId, 12)
  return Buffer.concat([head, body])
}

export function rts(flags: number, ...commands: readonly Command[]): Buffer {
  const counts = Buffer.alloc(4)
  counts.writeUInt16LE(flags, 0)
  counts.writeUInt16LE(commands.length, 2)
  const parts = commands.flatMap(({ name, body }) => [Buffer.from([COMMAND[name], 0, 0, 0]), body])
  return pdu(PTYPE.rts, 3, 0, Buffer.concat([counts, ...parts]))
}

/** A PDU that was read. */
export interface Pdu {
  readonly type: number
  /** First and last fragment. */
  readonly flags: number
  readonly callId: number
  /** Behind the common header. */
  readonly body: Buffer
  /** Of the whole. */
  readonly length: number
  /** Those of an RTS PDU, with its own flags. */
  readonly rtsFlags: number
  readonly commands: readonly Command[]
}

/** Takes octets apart; throws for what is no PDU. */
export class PduReader {
  #held: Buffer = Buffer.alloc(0)

  push(octets: Buffer): Pdu[] {
    this.#held = Buffer.concat([this.#held, octets])
    const found: Pdu[] = []
    while (this.#held.length >= 16) {
      const length = this.#held.readUInt16LE(8)
      if (this.#held[0] !== 5 || length < 16) throw new Error(`no PDU: ${this.#held.toString('hex', 0, 32)}`)
      if (this.#held.length < length) break
      found.push(readPdu(Buffer.from(this.#held.subarray(0, length))))
      this.#held = this.#held.subarray(length)
    }
    return found
  }
}

function readPdu(octets: Buffer): Pdu {
  const type = octets[2] ?? 0
  const isRts = type === PTYPE.rts
  return {
    type,
    flags: octets[3] ?? 0,
    callId: octets.readUInt32LE(12),
    body: octets.subarray(16),
    length: octets.length,
    rtsFlags: isRts ? octets.readUInt16LE(16) : 0,
    commands: isRts ? readCommands(octets.subarray(20), octets.readUInt16LE(18)) : [],
  }
}

function readCommands(octets: Buffer, count: number): Command[] {
  const found: Command[] = []
  for (let at = 0; found.length < count; ) {
    const type = octets.readUInt32LE(at)
    const name = (Object.keys(COMMAND) as CommandName[]).find((each) => COMMAND[each] === type)
    if (name === undefined) throw new Error(`no command of RTS: ${type}`)
    found.push({ name, body: octets.subarray(at + 4, at + 4 + SIZES[name]) })
    at += 4 + SIZES[name]
  }
  return found
}

/** The cookies of a PDU in hexadecimal, in their order. */
export function cookiesOf({ commands }: Pdu): string[] {
  return commands.filter(({ name }) => name === 'cookie').map(({ body }) => body.toString('hex'))
}

/** Flags and commands as a short text, `4: version cookie cookie`; for other kinds the kind. */
export function shapeOf({ type, rtsFlags, commands }: Pdu): string {
  if (type !== PTYPE.rts) return Object.entries(PTYPE).find(([, value]) => value === type)?.[0] ?? String(type)
  return [`${rtsFlags}:`, ...commands.map(({ name }) => name)].join(' ')
}

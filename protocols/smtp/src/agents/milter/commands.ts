// SPDX-License-Identifier: MIT
import type { Endpoint } from '@portico/base'
import { COMMANDS, type Command, VERSION } from './constants.js'

/** Values by the names of macros. Undefined ones are left out. */
export type Macros = Readonly<Record<string, string | undefined>>

const NUL = '\0'

/** A frame of text: how long it is, which command, what belongs to it. One character for each octet. */
export function textFrame(command: Command, text = ''): Buffer {
  const frame = Buffer.allocUnsafe(5 + text.length)
  frame.writeUInt32BE(1 + text.length, 0)
  frame.write(COMMANDS[command] + text, 4, 'latin1')
  return frame
}

/** What goes in front of so many octets of a body. */
export function bodyHead(octets: number): Buffer {
  const head = Buffer.allocUnsafe(5)
  head.writeUInt32BE(1 + octets, 0)
  head.write(COMMANDS.body, 4, 'latin1')
  return head
}

/** What we speak, what may be changed, and which steps may be left out. */
export function negotiateFrame(actions: number, steps: number): Buffer {
  const terms = Buffer.allocUnsafe(12)
  terms.writeUInt32BE(VERSION, 0)
  terms.writeUInt32BE(actions, 4)
  terms.writeUInt32BE(steps, 8)
  return textFrame('negotiate', terms.toString('latin1'))
}

/** Macros for the command that follows. Names of several letters stand in braces. */
export function macroFrame(command: Command, macros: Macros): Buffer {
  let text: string = COMMANDS[command]
  for (const [name, value] of Object.entries(macros)) {
    if (value !== undefined && value !== '') text += `${name}${NUL}${line(value)}${NUL}`
  }
  return textFrame('macro', text)
}

/** Who has come in. We look no names up: the address in brackets stands for one, as for clients whose address has none. */
export function connectFrame(client: Endpoint): Buffer {
  const name = clientName(client)
  if (client.family === 'unix') return textFrame('connect', `${name}${NUL}L${NUL}${NUL}${line(client.address)}${NUL}`)
  const port = String.fromCharCode(client.port >> 8, client.port & 0xff)
  return textFrame('connect', `${name}${NUL}${client.family}${port}${client.address}${NUL}`)
}

/** A client's address where its name would stand. */
export function clientName({ address, family }: Endpoint): string {
  if (family === 'unix') return 'localhost'
  return family === 6 ? `[IPv6:${address}]` : `[${address}]`
}

/** A command with its arguments: the domain of HELO, a path with its parameters, a header field. */
export function argumentsFrame(command: 'helo' | 'mail' | 'rcpt', ...args: readonly string[]): Buffer {
  return textFrame(command, args.map((arg) => line(arg) + NUL).join(''))
}

/** A header field; lines of its value end with LF. */
export function headerFrame(name: string, value: string): Buffer {
  return textFrame('header', `${withoutNul(name)}${NUL}${withoutNul(value)}${NUL}`)
}

/** One line that cannot end its string early. */
function line(text: string): string {
  return text.replace(/[\0\r\n]/g, ' ')
}

function withoutNul(text: string): string {
  return text.replace(/\0/g, ' ')
}

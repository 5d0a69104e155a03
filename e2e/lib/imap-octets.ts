// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { OctetClient, Sink } from './octet-client.js'

/** Takes the greeting and signs in, as a0. */
export async function signInImap(client: OctetClient, user: string, password: string): Promise<void> {
  expect(await client.line()).toMatch(/^\* OK /)
  await client.send(`a0 LOGIN ${user} ${password}\r\n`)
  expect((await client.linesTo('a0 ')).at(-1)).toMatch(/^a0 OK /)
}

/** A command and its answer, which must be OK. */
export async function ask(client: OctetClient, tag: string, command: string): Promise<string[]> {
  await client.send(`${tag} ${command}\r\n`)
  const lines = await client.linesTo(`${tag} `)
  expect(lines.at(-1)).toMatch(new RegExp(`^${tag} OK`))
  return lines
}

export async function append(client: OctetClient, tag: string, mailbox: string, message: Buffer): Promise<void> {
  await client.send(`${tag} APPEND ${mailbox} {${message.length}}\r\n`)
  expect(await client.line()).toMatch(/^\+ /)
  await client.send(message)
  await client.send('\r\n')
  expect((await client.linesTo(`${tag} `)).at(-1)).toMatch(new RegExp(`^${tag} OK`))
}

/** Asks for one item and reads up to its literal: the literal's length. */
export async function beginFetch(client: OctetClient, tag: string, item: string): Promise<number> {
  await client.send(`${tag} FETCH ${item}\r\n`)
  for (;;) {
    const line = await client.line()
    if (line === undefined) throw new Error('the end came before the literal')
    const [, length] = /\{(\d+)\}$/.exec(line) ?? []
    if (length !== undefined) return Number(length)
    expect(line).toMatch(/^\* /)
  }
}

/** A whole literal, as a hash, and the end of its answer. */
export async function fetchHash(client: OctetClient, tag: string, item: string): Promise<string> {
  const hash = createHash('sha256')
  const length = await beginFetch(client, tag, item)
  expect(await client.take(length, hash)).toBe(length)
  await endFetch(client, tag)
  return hash.digest('hex')
}

/** What follows a literal, up to the completion. */
export async function endFetch(client: OctetClient, tag: string): Promise<void> {
  expect(await client.line()).toMatch(/^(?: [^{}]*)?\)$/)
  expect(await client.line()).toMatch(new RegExp(`^${tag} OK`))
}

/** Keeps what it is given. */
export class Kept implements Sink {
  readonly #parts: Buffer[] = []
  update(octets: Buffer): void {
    this.#parts.push(Buffer.from(octets))
  }
  get octets(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

// SPDX-License-Identifier: MIT
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { NEVER } from '@portico/base'
import { type Canonicalization, canonicalField } from '../../../src/agents/authentication/canonical-header.js'
import { type SignatureVerdicts, verifySignatures } from '../../../src/agents/authentication/signatures.js'
import type { HeaderFields } from '../../../src/message/header-fields.js'
import { parseHeader } from '../../../src/message/header-fields.js'
import { Spool, type SpooledMessage } from '../../../src/message/spool.js'
import { SpoolBudget } from '../../../src/message/spool-budget.js'
import { type FakeEntry, fakeResolver } from '../fake-resolver.js'

/** 2026-11-01. */
export const NOW = 1_793_491_200_000

/** Text of a test as a message: one character for each octet, LF for CRLF. */
export function lines(text: string): Buffer {
  return Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** A message as agents get it at its end. */
export async function spooled(
  octets: Buffer,
): Promise<{ readonly message: SpooledMessage; readonly fields: HeaderFields }> {
  const spool = new Spool({ budget: new SpoolBudget(), maxSize: 200 * 1024 ** 2 })
  for (let at = 0; at < octets.length; at += 65_536) {
    if (!spool.write(octets.subarray(at, at + 65_536))) await new Promise<void>((resolve) => (spool.onDrain = resolve))
  }
  const done = await spool.finish()
  if (done.kind !== 'spooled') throw new Error(done.why)
  return { message: done.message, fields: parseHeader(octets.subarray(0, headerEnd(octets)), 'plain') }
}

function headerEnd(octets: Buffer): number {
  const empty = octets.indexOf('\r\n\r\n')
  return empty === -1 ? octets.length : empty + 2
}

export async function verdictsOf(octets: Buffer, entries: readonly FakeEntry[], now = NOW): Promise<SignatureVerdicts> {
  return verifySignatures(await spooled(octets), { resolver: fakeResolver(entries), signal: NEVER, now })
}

/** Result and reason of each DKIM signature. */
export async function dkimOf(octets: Buffer, entries: readonly FakeEntry[], now = NOW): Promise<readonly string[]> {
  const { dkim } = await verdictsOf(octets, entries, now)
  return dkim.map(({ result, why }) => (why === undefined ? result : `${result}: ${why}`))
}

/** A key pair with the record that publishes it. */
export interface TestKey {
  readonly secret: KeyObject
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly record: string
}

export function rsaKey(bits = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const octets = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return { secret: privateKey, algorithm: 'rsa-sha256', record: `v=DKIM1; k=rsa; p=${octets}` }
}

export function ed25519Key(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const octets = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  return {
    secret: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    algorithm: 'ed25519-sha256',
    record: `v=DKIM1; k=ed25519; p=${octets}`,
  }
}

/** Signs `text` as a field of a signature or a seal does. */
export function signed(key: TestKey, text: string): string {
  const octets = Buffer.from(text, 'latin1')
  if (key.algorithm === 'rsa-sha256') return sign('sha256', octets, key.secret).toString('base64')
  return sign(null, createHash('sha256').update(octets).digest(), key.secret).toString('base64')
}

export interface SignOptions {
  /** Instead of the tags that are usual, by their names; undefined leaves one out. The value itself may be another, too. */
  readonly tags?: Readonly<Record<string, string | undefined>>
  /** What is signed of the body, already canonical. */
  readonly body?: string
  readonly form?: Canonicalization
  /** Names of fields, the last one of a name first. */
  readonly fields?: readonly string[]
  readonly name?: string
}

/** A message with a signature in front. What the tags say is signed, right or wrong. */
export function withSignature(message: Buffer, key: TestKey, options: SignOptions = {}): Buffer {
  const text = message.toString('latin1')
  const at = text.indexOf('\r\n\r\n') + 2
  const form = options.form ?? 'relaxed'
  const names = options.fields ?? ['from', 'subject']
  const body = options.body ?? text.slice(at + 2)
  const tags: Record<string, string | undefined> = {
    ...{ v: '1', a: key.algorithm, c: `${form}/simple`, d: 'test.lan', s: 's1', h: names.join(':') },
    bh: createHash('sha256').update(Buffer.from(body, 'latin1')).digest('base64'),
    ...options.tags,
  }
  const list = Object.entries(tags).flatMap(([name, value]) =>
    value === undefined || name === 'b' ? [] : [`${name}=${value}`],
  )
  const field = `${options.name ?? 'DKIM-Signature'}: ${list.join('; ')}; b=`
  const header = fieldsNamed(text.slice(0, at), names).map((one) => `${canonicalField(one, form)}\r\n`)
  const value = signed(key, `${header.join('')}${canonicalField(`${field}\r\n`, form)}`)
  return Buffer.from(`${field}${tags['b'] ?? value}\r\n${text}`, 'latin1')
}

/** Fields of a header section as DKIM picks them. */
export function fieldsNamed(section: string, names: readonly string[]): readonly string[] {
  const all = section.split(/(?<=\r\n)(?![ \t])/)
  return names.flatMap((name) => {
    const at = all.findLastIndex((one) => one.toLowerCase().startsWith(`${name}:`))
    return at === -1 ? [] : all.splice(at, 1)
  })
}

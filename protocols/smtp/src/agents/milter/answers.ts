// SPDX-License-Identifier: MIT
import type { Reply } from '../../replies.js'
import { ALL_STEPS, LARGEST_FRAME, OLDEST, VERSION } from './constants.js'

/** What a milter thinks of what it was told. */
export type Judgement =
  | { readonly kind: 'continue' | 'accept' | 'reject' | 'tempfail' | 'discard' | 'skip' | 'shutdown' }
  /** In its own words: 400 to 599. */
  | { readonly kind: 'reply'; readonly reply: Reply }

/** What a milter changes at the end of a message. */
export type Change =
  | { readonly kind: 'add-header'; readonly name: string; readonly value: string }
  | { readonly kind: 'insert-header'; readonly index: number; readonly name: string; readonly value: string }
  /** The field of that name at that place, counted from 1; without a value it goes. */
  | { readonly kind: 'change-header'; readonly index: number; readonly name: string; readonly value: string }
  | { readonly kind: 'add-recipient'; readonly path: string }
  | { readonly kind: 'delete-recipient'; readonly path: string }
  | { readonly kind: 'replace-body'; readonly octets: Buffer }
  | { readonly kind: 'quarantine'; readonly reason: string }

/** `progress`: it is still thinking. */
export type MilterAnswer = Judgement | Change | { readonly kind: 'progress' }

/** What was agreed upon. */
export interface Terms {
  readonly version: number
  readonly actions: number
  readonly steps: number
}

/** A milter has said what it may not. */
export class MilterFault extends Error {
  constructor(what: string) {
    super(`the milter sent ${what}`)
  }
}

/** How long the frame is that four octets announce. Throws {@link MilterFault} where that is no length. */
export function frameLength(head: Buffer): number {
  const length = head.readUInt32BE(0)
  if (length === 0 || length > LARGEST_FRAME) throw new MilterFault(`a frame of ${length} octets`)
  return length
}

/** What it answered to our offer. Throws {@link MilterFault} where it wants what nobody offered. */
export function readTerms(frame: Buffer, offered: Omit<Terms, 'version'>): Terms {
  if (frame.length < 13 || frame[0] !== 'O'.charCodeAt(0)) throw new MilterFault('no options')
  const [version, actions, steps] = [frame.readUInt32BE(1), frame.readUInt32BE(5), frame.readUInt32BE(9)]
  if (version < OLDEST || version > VERSION) throw new MilterFault(`version ${version}`)
  if ((actions & ~offered.actions) !== 0) throw new MilterFault(`actions ${hex(actions)}, which were not offered`)
  if ((steps & ~offered.steps) !== 0) throw new MilterFault(`steps ${hex(steps)}, which were not offered`)
  return { version, actions, steps: steps & ALL_STEPS }
}

const SIMPLE: Readonly<Record<string, Exclude<Judgement['kind'], 'reply'> | 'progress'>> = {
  a: 'accept',
  c: 'continue',
  d: 'discard',
  p: 'progress',
  r: 'reject',
  s: 'skip',
  t: 'tempfail',
  '4': 'shutdown',
}

/** Reads what follows the length of a frame. Throws {@link MilterFault}. */
export function readAnswer(frame: Buffer): MilterAnswer {
  const code = frame.toString('latin1', 0, 1)
  const simple = SIMPLE[code]
  if (simple !== undefined) return { kind: simple }
  switch (code) {
    case 'y':
      return { kind: 'reply', reply: replyOf(strings(frame, 1, 1)[0]) }
    case 'h':
      return { kind: 'add-header', ...field(strings(frame, 1, 2)) }
    case 'i':
      return { kind: 'insert-header', index: index(frame), ...field(strings(frame, 5, 2)) }
    case 'm':
      return { kind: 'change-header', index: index(frame), ...field(strings(frame, 5, 2)) }
    case '+':
      return { kind: 'add-recipient', path: strings(frame, 1, 1)[0] }
    case '-':
      return { kind: 'delete-recipient', path: strings(frame, 1, 1)[0] }
    case 'b':
      return { kind: 'replace-body', octets: frame.subarray(1) }
    case 'q':
      return { kind: 'quarantine', reason: strings(frame, 1, 1)[0] }
    case 'f':
      throw new MilterFault('that the connection is to fail')
    default:
      throw new MilterFault(`an answer of the kind ${JSON.stringify(code)}`)
  }
}

/** So many strings, each with its NUL, and nothing behind them. One character for each octet. */
function strings(frame: Buffer, from: number, count: number): readonly [string, string] {
  const parts = frame.toString('latin1', from).split('\0')
  if (parts.length !== count + 1 || parts[count] !== '') throw new MilterFault('an answer that is cut off')
  return [parts[0] ?? '', parts[1] ?? '']
}

function field([name, value]: readonly [string, string]) {
  return { name, value }
}

function index(frame: Buffer): number {
  if (frame.length < 5) throw new MilterFault('an answer that is cut off')
  return frame.readUInt32BE(1)
}

const MOST_LINES = 32
const LONGEST_LINE = 500
const REPLY_LINE = /^([45]\d\d)(?:[ -](?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?([\t -~]*))?$/

/** A reply of SMTP (RFC 5321 section 4.2), perhaps with an enhanced code (RFC 3463). */
function replyOf(text: string): Reply {
  const read = text
    .replace(/(?:\r?\n)+$/, '')
    .split(/\r?\n/)
    .map((line) => REPLY_LINE.exec(line))
  const [code, enhanced] = [read[0]?.[1] ?? '', read[0]?.[2]]
  if (read.length > MOST_LINES || !read.every((line) => line !== null && line[1] === code))
    throw new MilterFault('words that are no reply of SMTP')
  const [first = '', ...more] = read.map((line) => (line?.[3] ?? '').slice(0, LONGEST_LINE))
  const own = enhanced !== undefined && enhanced[0] === code[0] ? { enhanced } : {}
  return { code: Number(code), ...own, lines: [first, ...more] }
}

function hex(flags: number): string {
  return `0x${(flags >>> 0).toString(16)}`
}

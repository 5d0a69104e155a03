// SPDX-License-Identifier: MIT
import type { StoredMessage } from '../mail-store.js'
import { type MimePart, parseMime } from '../mime.js'
import { inSet, parseSet, textOf, type Value } from './parse.js'

/** A message with its sequence number, taken apart at most once. */
interface Candidate {
  readonly message: StoredMessage
  readonly sequence: number
  readonly part: () => MimePart
}

type Test = (candidate: Candidate) => boolean

const FLAGS: Readonly<Record<string, string>> = {
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  DRAFT: '\\Draft',
  FLAGGED: '\\Flagged',
  SEEN: '\\Seen',
}

/** Runs SEARCH over a view; undefined when the keys cannot be read (RFC 9051 section 6.4.4). */
export function search(view: readonly StoredMessage[], keys: readonly Value[]): readonly number[] | undefined {
  const last = { sequence: view.length, uid: view.at(-1)?.uid ?? 0 }
  const test = allOf(new Keys(keys), last)
  if (test === undefined) return undefined
  return view.flatMap((message, index) => {
    let parsed: MimePart | undefined
    const part = () => {
      parsed ??= parseMime(message.raw.toString('latin1'))
      return parsed
    }
    return test({ message, sequence: index + 1, part }) ? [index] : []
  })
}

interface Last {
  readonly sequence: number
  readonly uid: number
}

class Keys {
  readonly #values: readonly Value[]
  #at = 0

  constructor(values: readonly Value[]) {
    this.#values = values
  }

  get done(): boolean {
    return this.#at >= this.#values.length
  }

  next(): Value | undefined {
    return this.#values[this.#at++]
  }

  text(): string | undefined {
    return textOf(this.next())
  }
}

function allOf(keys: Keys, last: Last): Test | undefined {
  const tests: Test[] = []
  while (!keys.done) {
    const test = testOf(keys, last)
    if (test === undefined) return undefined
    tests.push(test)
  }
  return (candidate) => tests.every((test) => test(candidate))
}

function testOf(keys: Keys, last: Last): Test | undefined {
  const value = keys.next()
  if (value === undefined) return undefined
  if (value.kind === 'list') return allOf(new Keys(value.items), last)
  const key = value.text.toUpperCase()
  return flagTest(key) ?? structureTest(key, keys, last) ?? textTest(key, keys) ?? sizeOrDateTest(key, keys)
}

function flagTest(key: string): Test | undefined {
  const has = FLAGS[key]
  if (has !== undefined) return ({ message }) => message.flags.has(has)
  const lacks = key.startsWith('UN') ? FLAGS[key.slice(2)] : undefined
  if (lacks !== undefined) return ({ message }) => !message.flags.has(lacks)
  if (key === 'ALL' || key === 'OLD') return () => true
  // No message is recent to anybody here.
  return key === 'RECENT' || key === 'NEW' ? () => false : undefined
}

function structureTest(key: string, keys: Keys, last: Last): Test | undefined {
  const set = parseSet(key, last.sequence)
  if (set !== undefined) return ({ sequence }) => inSet(set, sequence)
  if (key === 'UID') {
    const uids = parseSet(keys.text() ?? '', last.uid)
    return uids === undefined ? undefined : ({ message }) => inSet(uids, message.uid)
  }
  if (key === 'NOT') {
    const test = testOf(keys, last)
    return test === undefined ? undefined : (candidate) => !test(candidate)
  }
  if (key !== 'OR') return undefined
  const one = testOf(keys, last)
  const other = testOf(keys, last)
  if (one === undefined || other === undefined) return undefined
  return (candidate) => one(candidate) || other(candidate)
}

function textTest(key: string, keys: Keys): Test | undefined {
  if (key === 'CHARSET') {
    keys.next()
    return () => true
  }
  const field = key === 'HEADER' ? keys.text() : ['FROM', 'TO', 'CC', 'BCC', 'SUBJECT'].includes(key) ? key : undefined
  if (field === undefined && !['BODY', 'TEXT', 'KEYWORD', 'UNKEYWORD'].includes(key)) return undefined
  const wanted = keys.text()?.toLowerCase()
  if (wanted === undefined) return undefined
  if (field !== undefined) return ({ part }) => part().field(field)?.toLowerCase().includes(wanted) ?? false
  if (key === 'BODY') return ({ part }) => part().body.toLowerCase().includes(wanted)
  if (key === 'TEXT') return ({ part }) => part().whole.toLowerCase().includes(wanted)
  return ({ message }) => [...message.flags].some((flag) => flag.toLowerCase() === wanted) === (key === 'KEYWORD')
}

function sizeOrDateTest(key: string, keys: Keys): Test | undefined {
  const sent = key.startsWith('SENT')
  const name = sent ? key.slice(4) : key
  if (!['LARGER', 'SMALLER', 'SINCE', 'BEFORE', 'ON'].includes(name)) return undefined
  const argument = keys.text() ?? ''
  if (name === 'LARGER') return ({ message }) => message.raw.length > Number(argument)
  if (name === 'SMALLER') return ({ message }) => message.raw.length < Number(argument)
  const wanted = dayOf(new Date(`${argument.replace(/-/g, ' ')} UTC`))
  if (Number.isNaN(wanted)) return undefined
  return ({ message, part }) => {
    const day = dayOf(sent ? new Date(part().field('date') ?? '') : message.internalDate)
    return name === 'ON' ? day === wanted : name === 'SINCE' ? day >= wanted : day < wanted
  }
}

function dayOf(date: Date): number {
  return Math.floor(date.getTime() / 86_400_000)
}

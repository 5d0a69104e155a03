// SPDX-License-Identifier: MIT
// The one file that knows mailparser, which is loaded when the first message is read.
import type { Readable } from 'node:stream'
import type { Cancellation } from '@portico/base'
import type { MailParser } from 'mailparser'
import { parseHeader } from '../message/header-fields.js'
import type { SpooledMessage } from '../message/spool.js'
import { ambiguityOf } from './ambiguity.js'
import type { ContentLimits, Unreadable } from './content.js'
import { LooseText, type Part, type PartSink, type PartVisitor } from './part.js'

type PartLimits = Pick<ContentLimits, 'parts' | 'nesting' | 'headers'>

/** Of mailparser's inside: it hands each piece of a message to itself by this method. */
interface Internals {
  processChunk(chunk: MimeNode | Piece, done: (error?: Error | null) => void): void
}

interface Piece {
  readonly type: 'body' | 'data'
  readonly node: MimeNode
  readonly value: Buffer
}

interface MimeNode {
  readonly type: 'node'
  readonly contentType: string | false
  readonly multipart: string | false
  readonly parentNode: MimeNode | false
  readonly headers: { build(): Buffer }
  disposition: string | false
  encoding: string | false
}

/** Where the content of a part goes. */
interface Inlet {
  readonly part: Part
  readonly sink: PartSink
}

/**
 * Reads a message part by part, and messages within it likewise, and holds no more than pieces of it. What is beyond a limit makes it
 * unreadable, and so does the signal.
 */
export async function readParts(
  message: SpooledMessage,
  visit: PartVisitor,
  limits: PartLimits,
  signal: Cancellation,
): Promise<Unreadable | undefined> {
  const { MailParser } = await import('mailparser')
  const reading = new Reading(MailParser, visit, limits)
  signal.onAbort = () => reading.stop('nobody waits for it any more', true)
  try {
    return await reading.read(message)
  } finally {
    signal.onAbort = undefined
  }
}

class Reading {
  readonly #create: typeof MailParser
  readonly #visit: PartVisitor
  readonly #limits: PartLimits
  readonly #parsers: MailParser[] = []
  #fault: Unreadable | undefined
  #parts = 0
  #headers = 0
  #end: () => void = () => {}
  readonly #over = new Promise<void>((resolve) => {
    this.#end = resolve
  })

  constructor(create: typeof MailParser, visit: PartVisitor, limits: PartLimits) {
    this.#create = create
    this.#visit = visit
    this.#limits = limits
  }

  async read(message: SpooledMessage): Promise<Unreadable | undefined> {
    if (this.#fault !== undefined) return this.#fault
    const parser = this.#parser(0, this.#end)
    const ended = await message.read((piece) => {
      if (this.#fault !== undefined) return false
      return parser.write(piece) || this.#drained(parser)
    })
    if (ended === 'failed') this.stop('the disk failed', true)
    if (ended === 'done') parser.end()
    await this.#over
    return this.#fault
  }

  stop(why: string, ours = false): void {
    this.#fault ??= { kind: 'unreadable', why, ...(ours ? { ours } : {}) }
    for (const parser of this.#parsers) parser.destroy()
    this.#end()
  }

  async #drained(parser: MailParser): Promise<boolean> {
    await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), this.#over])
    return this.#fault === undefined
  }

  /** Reads one message. `depth`: how many others it is in. */
  #parser(depth: number, ended: () => void): MailParser {
    const parser = new this.#create({
      skipHtmlToText: true,
      skipTextToHtml: true,
      checksumAlgo: false,
      ignoreEmbedded: true,
      keepDeliveryStatus: true,
      maxChildNodes: this.#limits.parts,
      maxHeadSize: this.#limits.headers,
    })
    this.#parsers.push(parser)
    const loose = new LooseText()
    const inlets = this.#watch(parser, depth, loose)
    // It is at its end while contents of parts are still on their way.
    let open = 1
    const close = () => {
      open -= 1
      if (open > 0) return
      loose.end()
      ended()
    }
    parser.on('data', (item) => {
      const inlet = item.type === 'attachment' ? inlets.shift() : undefined
      if (item.type !== 'attachment' || inlet === undefined) return
      open += 1
      this.#pass(item.content, inlet, () => {
        item.release?.()
        close()
      })
    })
    parser.on('error', (error: Error) => this.stop(error.message))
    parser.on('end', close)
    return parser
  }

  /** Tells of each part as it begins; gives where contents go, in their order. */
  #watch(parser: MailParser, depth: number, loose: LooseText): Inlet[] {
    const inlets: Inlet[] = []
    const internals = parser as unknown as Internals
    const process = internals.processChunk.bind(parser)
    internals.processChunk = (chunk, done) => {
      if (chunk.type === 'data') loose.take(chunk.node, chunk.value)
      if (chunk.type === 'node') {
        const part = this.#begin(chunk, depth)
        if (part === undefined) return
        const sink = this.#visit(part)
        const holdsParts = part.type.startsWith('multipart/')
        loose.begin(chunk, chunk.parentNode, holdsParts ? sink : undefined)
        if (!holdsParts) inlets.push({ part, sink })
        // It would keep texts as a whole: as attachments they come as streams, like all others.
        chunk.disposition = 'attachment'
        chunk.encoding = tokenOf(chunk.encoding)
      }
      process(chunk, done)
    }
    return inlets
  }

  #begin({ contentType, headers, parentNode }: MimeNode, depth: number): Part | undefined {
    const section = headers.build()
    this.#parts += 1
    this.#headers += section.length
    if (this.#parts > this.#limits.parts) this.stop(`it has more than ${this.#limits.parts} parts`)
    else if (this.#headers > this.#limits.headers)
      this.stop(`its parts have header sections of more than ${this.#limits.headers} octets`)
    const fields = parseHeader(section, 'plain')
    const ambiguity = ambiguityOf(fields)
    if (ambiguity !== undefined) this.stop(ambiguity)
    if (this.#fault !== undefined) return undefined
    const type = contentType === false ? 'text/plain' : contentType
    return { type, fields, depth, whole: parentNode === false }
  }

  #pass(content: Readable, { part, sink }: Inlet, ended: () => void): void {
    const end = () => {
      sink.end()
      ended()
    }
    const inner = this.#inner(part, end)
    content.on('data', (piece: Buffer) => {
      sink.take(piece)
      if (inner === undefined || inner.write(piece)) return
      content.pause()
      inner.once('drain', () => content.resume())
    })
    content.on('end', () => {
      if (inner === undefined) end()
      else inner.end()
    })
  }

  /** Reads the message that a part is; undefined where it is none. */
  #inner({ type, depth }: Part, ended: () => void): MailParser | undefined {
    if (type !== 'message/rfc822' && type !== 'message/global') return undefined
    if (depth < this.#limits.nesting) return this.#parser(depth + 1, ended)
    this.stop(`it holds messages within messages, more than ${this.#limits.nesting} deep`)
    return undefined
  }
}

/** Quotes around an encoding and a semicolon behind it are nothing to many readers. */
function tokenOf(encoding: string | false): string | false {
  return encoding === false ? false : encoding.replace(/^["\s]+|[";\s].*$/gs, '')
}

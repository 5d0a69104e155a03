// SPDX-License-Identifier: MIT
import type { Cancellation } from '@portico/base'
import type { HeaderFields } from '../message/header-fields.js'
import type { SpooledMessage } from '../message/spool.js'
import { AttachmentSink } from './attachment-sink.js'
import type { Attachment, Content, ContentLimits, MessageType, Unreadable } from './content.js'
import { extensionOf, fileNames, namesMadeOf } from './file-name.js'
import { headerTypes, partTypes } from './message-types.js'
import { parseMimeField } from './mime-field.js'
import type { Part, PartSink } from './part.js'
import { readParts } from './read-parts.js'
import { TextSink } from './text-sink.js'
import { UuencodedNames } from './uuencoded-names.js'

/**
 * Reads what a message holds. It takes the signal's slot, and stops when it says so; the parser is loaded with the first message. A
 * message that is beyond the limits is unreadable: whoever asks has to say what that means.
 */
export async function contentOf(
  message: SpooledMessage,
  fields: HeaderFields,
  limits: ContentLimits,
  signal: Cancellation,
): Promise<Content | Unreadable> {
  const collector = new Collector(fields, limits)
  const fault = await readParts(message, (part) => collector.sinkOf(part), limits, signal)
  return fault ?? collector.fault ?? collector.content
}

/** Files within one text. */
const MOST_UUENCODED = 100

class Collector {
  readonly #texts: string[] = []
  readonly #attachments: Attachment[] = []
  readonly #types: Set<MessageType>
  readonly #room: { left: number; lacking: boolean }
  #names: number
  #lacking = false

  constructor(fields: HeaderFields, { text, archiveNames }: ContentLimits) {
    this.#types = new Set(headerTypes(fields))
    this.#room = { left: text, lacking: false }
    this.#names = archiveNames
  }

  /** What nobody has seen must not be taken for harmless. */
  get fault(): Unreadable | undefined {
    return this.#lacking
      ? { kind: 'unreadable', why: 'it has files with more, or longer, names than are read' }
      : undefined
  }

  get content(): Content {
    return {
      kind: 'content',
      text: this.#texts.join('\n'),
      truncated: this.#room.lacking,
      attachments: this.#attachments,
      types: this.#types,
    }
  }

  sinkOf(part: Part): PartSink {
    const contentType = parseMimeField(part.fields.first('content-type')?.text() ?? '')
    if (part.depth === 0) for (const type of partTypes(contentType, part.whole)) this.#types.add(type)
    const sinks = [
      ...(part.depth === 0 && isText(part) ? [this.#text(part)] : []),
      ...(part.type !== 'text/html' && isText(part) ? [this.#uuencoded()] : []),
      ...(isFile(part) ? [this.#file(part)] : []),
    ]
    return {
      take(piece) {
        for (const sink of sinks) sink.take(piece)
      },
      end() {
        for (const sink of sinks) sink.end()
      },
    }
  }

  #text(part: Part): PartSink {
    return new TextSink(part, this.#room, (text) => {
      if (text !== '') this.#texts.push(text)
    })
  }

  /** Some readers offer them like attachments. */
  #uuencoded(): PartSink {
    return new UuencodedNames(MOST_UUENCODED, (names, lacking) => {
      this.#attachments.push(...names.flatMap(uuencoded))
      this.#lacking ||= lacking
    })
  }

  #file(part: Part): PartSink {
    return new AttachmentSink(part, this.#names, (attachments, lacking) => {
      this.#attachments.push(...attachments)
      this.#lacking ||= lacking
      this.#names = Math.max(0, this.#names - (attachments[0]?.archived.length ?? 0))
    })
  }
}

/** Of a file that is written into a text the size is not known. */
function uuencoded(written: string): readonly Attachment[] {
  return namesMadeOf(written).map((name) => ({
    ...{ name, extension: extensionOf(name), size: 0, type: 'application/octet-stream' },
    ...{ executable: false, passwordProtected: false, archived: [] },
  }))
}

/** What a reader is shown as the text of a message; multiparts come only where they hold no parts. */
function isText({ type, fields }: Part): boolean {
  if (isAttached(fields)) return false
  return type === 'text/plain' || type === 'text/html' || type.startsWith('multipart/')
}

/** What a reader is offered to keep. A text with a name is both: some readers show it, others offer it. */
function isFile({ type, fields }: Part): boolean {
  if (type.startsWith('multipart/')) return false
  const shown = type === 'text/plain' || type === 'text/html'
  return !shown || isAttached(fields) || fileNames(fields).length > 0
}

/** A disposition that nobody knows is that of an attachment (RFC 2183 section 2.8). */
function isAttached(fields: HeaderFields): boolean {
  const { value } = parseMimeField(fields.first('content-disposition')?.text() ?? '')
  return value !== '' && value !== 'inline'
}

// SPDX-License-Identifier: MIT
import type { Attachment } from './content.js'
import { isExecutable, TELLING_OCTETS } from './executable.js'
import { archivedNames, extensionOf, fileNames } from './file-name.js'
import type { Part, PartSink } from './part.js'
import { TnefNames } from './tnef-names.js'
import { ZipNames } from './zip-names.js'

/** What Outlook calls the container of its own format, where it has no name. */
const TNEF_NAME = 'winmail.dat'

/** Looks at a file while it passes by. */
export class AttachmentSink implements PartSink {
  readonly #part: Part
  readonly #zip: ZipNames
  readonly #tnef: TnefNames
  readonly #ended: (attachments: readonly Attachment[], lacking: boolean) => void
  #start: Buffer = Buffer.alloc(0)
  #size = 0

  /**
   * `mostNames`: names of files in an archive that are kept. `ended` gets the file, once for each name it has; `lacking`: not all names
   * in an archive could be kept.
   */
  constructor(part: Part, mostNames: number, ended: (attachments: readonly Attachment[], lacking: boolean) => void) {
    this.#part = part
    this.#zip = new ZipNames(mostNames)
    this.#tnef = new TnefNames(mostNames, isExecutable)
    this.#ended = ended
  }

  take(piece: Buffer): void {
    const missing = TELLING_OCTETS - this.#start.length
    if (missing > 0) this.#start = Buffer.concat([this.#start, piece.subarray(0, missing)])
    this.#size += piece.length
    this.#zip.take(piece)
    this.#tnef.take(piece)
  }

  end(): void {
    this.#zip.end()
    this.#tnef.end()
    const { fields, type } = this.#part
    const contentId = fields.first('content-id')?.text().replace(/^<|>$/g, '')
    const names = fileNames(fields)
    const named = names.length > 0 ? names : [type === 'application/ms-tnef' ? TNEF_NAME : '']
    const archived = [...this.#zip.names, ...this.#tnef.names].flatMap(archivedNames)
    this.#ended(
      named.map((name) => ({
        name,
        extension: extensionOf(name),
        size: this.#size,
        type,
        ...(contentId === undefined ? {} : { contentId }),
        executable: isExecutable(this.#start) || this.#tnef.program,
        passwordProtected: this.#zip.encrypted,
        archived,
      })),
      this.#zip.lacking || this.#tnef.lacking,
    )
  }
}

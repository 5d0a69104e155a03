// SPDX-License-Identifier: MIT
import type { Folder, StoredMessage } from '../mail-store.js'
import { inSet, parseSet } from './parse.js'

/** What one session has been told of its selected folder: sequence numbers move only when the client hears of it. */
export class View {
  readonly folder: Folder
  readonly readOnly: boolean
  #messages: StoredMessage[]
  #flags = new Map<StoredMessage, string>()

  constructor(folder: Folder, readOnly: boolean) {
    this.folder = folder
    this.readOnly = readOnly
    this.#messages = [...folder.messages]
    for (const message of this.#messages) this.told(message)
  }

  get messages(): readonly StoredMessage[] {
    return this.#messages
  }

  /** The client knows the present flags of a message. */
  told(message: StoredMessage): void {
    this.#flags.set(message, [...message.flags].join(' '))
  }

  /** Untagged responses for what has changed since. */
  news(): readonly string[] {
    const lines: string[] = []
    const present = new Set(this.folder.messages)
    for (let at = this.#messages.length - 1; at >= 0; at--) {
      const message = this.#messages[at]
      if (message === undefined || present.has(message)) continue
      lines.push(`* ${at + 1} EXPUNGE`)
      this.#messages.splice(at, 1)
      this.#flags.delete(message)
    }
    for (const [index, message] of this.#messages.entries()) {
      if (this.#flags.get(message) === [...message.flags].join(' ')) continue
      this.told(message)
      lines.push(`* ${index + 1} FETCH (UID ${message.uid} FLAGS (${[...message.flags].join(' ')}))`)
    }
    if (this.folder.messages.length > this.#messages.length) {
      for (const message of this.folder.messages.slice(this.#messages.length)) this.told(message)
      this.#messages = [...this.folder.messages]
      lines.push(`* ${this.#messages.length} EXISTS`)
    }
    return lines
  }

  /** Messages by sequence numbers or UIDs, each with its index; undefined when the set cannot be read. */
  select(set: string, byUid: boolean): readonly (readonly [number, StoredMessage])[] | undefined {
    const last = byUid ? (this.#messages.at(-1)?.uid ?? 0) : this.#messages.length
    const ranges = parseSet(set, last)
    if (ranges === undefined) return undefined
    return [...this.#messages.entries()].filter(([index, { uid }]) => inSet(ranges, byUid ? uid : index + 1))
  }
}

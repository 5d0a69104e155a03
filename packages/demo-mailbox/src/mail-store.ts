// SPDX-License-Identifier: MIT

/** One message in a folder. */
export interface StoredMessage {
  readonly uid: number
  readonly raw: Buffer
  readonly internalDate: Date
  /** System flags and keywords, as written. */
  readonly flags: Set<string>
}

/** A folder with its messages in the order of their UIDs. */
export class Folder {
  name: string
  readonly specialUse: string | undefined
  readonly uidValidity: number
  readonly messages: StoredMessage[] = []
  uidNext = 1
  readonly #watchers = new Set<() => void>()

  constructor(name: string, uidValidity: number, specialUse?: string) {
    this.name = name
    this.uidValidity = uidValidity
    this.specialUse = specialUse
  }

  append(raw: Buffer, flags: Iterable<string> = [], internalDate: Date = new Date()): StoredMessage {
    const message = { uid: this.uidNext++, raw, internalDate, flags: new Set(flags) }
    this.messages.push(message)
    this.changed()
    return message
  }

  remove(gone: ReadonlySet<StoredMessage>): void {
    if (gone.size === 0) return
    const left = this.messages.filter((message) => !gone.has(message))
    this.messages.splice(0, this.messages.length, ...left)
    this.changed()
  }

  /** Tells whoever watches that messages or flags are not what they were. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  watch(watcher: () => void): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }
}

const SPECIAL: readonly (readonly [string, string | undefined])[] = [
  ['INBOX', undefined],
  ['Sent', '\\Sent'],
  ['Drafts', '\\Drafts'],
  ['Trash', '\\Trash'],
  ['Archive/2026', undefined],
]

/** A user's mail, in memory. */
export class Account {
  readonly name: string
  readonly password: string
  readonly folders = new Map<string, Folder>()
  readonly subscribed: Set<string>
  #uidValidity = 1_000

  constructor(name: string, password: string) {
    this.name = name
    this.password = password
    for (const [folder, use] of SPECIAL) this.create(folder, use)
    this.subscribed = new Set(this.folders.keys())
  }

  get inbox(): Folder {
    return this.folder('INBOX') ?? this.create('INBOX')
  }

  /** INBOX in any case (RFC 9051 section 5.1). */
  folder(name: string): Folder | undefined {
    return this.folders.get(name.toUpperCase() === 'INBOX' ? 'INBOX' : name)
  }

  create(name: string, specialUse?: string): Folder {
    const folder = new Folder(name, this.#uidValidity++, specialUse)
    this.folders.set(name, folder)
    return folder
  }

  rename(from: string, to: string): void {
    for (const [name, folder] of [...this.folders]) {
      if (name !== from && !name.startsWith(`${from}/`)) continue
      this.folders.delete(name)
      folder.name = to + name.slice(from.length)
      this.folders.set(folder.name, folder)
    }
  }
}

/** Who has a mailbox on which server: shared by demo mailboxes, so that each delivers to all. Names have no domain. */
export class DemoDirectory {
  readonly #accounts = new Map<string, Account>()

  add(account: Account): void {
    this.#accounts.set(account.name.toLowerCase(), account)
  }

  /** The account of an address or bare name; the domain, whatever it is, does not count. */
  find(address: string): Account | undefined {
    const at = address.lastIndexOf('@')
    return this.#accounts.get((at < 0 ? address : address.slice(0, at)).toLowerCase())
  }
}

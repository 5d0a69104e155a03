// SPDX-License-Identifier: MIT
import type { Account, Folder } from '../mail-store.js'
import { quoted } from './format.js'
import { type Command, textOf } from './parse.js'
import type { Handler, ImapSession, Outcome } from './session.js'
import { View } from './view.js'

const FLAGS = '\\Answered \\Flagged \\Deleted \\Seen \\Draft'
const BAD: Outcome = 'BAD wrong arguments'
const MISSING: Outcome = 'NO [NONEXISTENT] no such mailbox'

/** Commands of an account and its folders. */
export const folderCommands: Readonly<Record<string, Handler>> = {
  NAMESPACE(session) {
    session.send('* NAMESPACE (("" "/")) NIL NIL')
    return 'OK done'
  },
  SELECT: (session, command) => open(session, command, false),
  EXAMINE: (session, command) => open(session, command, true),
  STATUS: status,
  LIST: list,
  LSUB: list,
  APPEND: append,
  CREATE: withName((account, name) => {
    if (account.folder(name) !== undefined) return 'NO [ALREADYEXISTS] it is already there'
    account.create(name.replace(/\/$/, ''))
    return 'OK done'
  }),
  DELETE: withName((account, name) => {
    if (name.toUpperCase() === 'INBOX') return 'NO [CANNOT] INBOX stays'
    return account.folders.delete(name) ? 'OK done' : MISSING
  }),
  SUBSCRIBE: withName((account, name) => {
    account.subscribed.add(name)
    return 'OK done'
  }),
  UNSUBSCRIBE: withName((account, name) => {
    account.subscribed.delete(name)
    return 'OK done'
  }),
  RENAME(session, { args }) {
    const from = textOf(args[0])
    const to = textOf(args[1])
    if (from === undefined || to === undefined) return BAD
    if (session.account?.folder(from) === undefined || from.toUpperCase() === 'INBOX') return MISSING
    if (session.account.folder(to) !== undefined) return 'NO [ALREADYEXISTS] it is already there'
    session.account.rename(from, to)
    return 'OK done'
  },
}

function withName(act: (account: Account, name: string) => Outcome): Handler {
  return (session, { args }) => {
    const name = textOf(args[0])
    return name === undefined || session.account === undefined ? BAD : act(session.account, name)
  }
}

function open(session: ImapSession, { args }: Command, readOnly: boolean): Outcome {
  session.view = undefined
  const name = textOf(args[0])
  if (name === undefined) return BAD
  const folder = session.account?.folder(name)
  if (folder === undefined) return MISSING
  session.view = new View(folder, readOnly)
  const unseen = folder.messages.findIndex(({ flags }) => !flags.has('\\Seen'))
  session.send(`* FLAGS (${FLAGS})`)
  session.send(`* OK [PERMANENTFLAGS (${readOnly ? '' : `${FLAGS} \\*`})] flags`)
  session.send(`* ${folder.messages.length} EXISTS`)
  session.send('* 0 RECENT')
  if (unseen >= 0) session.send(`* OK [UNSEEN ${unseen + 1}] first unseen`)
  session.send(`* OK [UIDVALIDITY ${folder.uidValidity}] validity`)
  session.send(`* OK [UIDNEXT ${folder.uidNext}] next`)
  return `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] selected`
}

const STATUS: Readonly<Record<string, (folder: Folder) => number>> = {
  MESSAGES: ({ messages }) => messages.length,
  RECENT: () => 0,
  UIDNEXT: ({ uidNext }) => uidNext,
  UIDVALIDITY: ({ uidValidity }) => uidValidity,
  UNSEEN: ({ messages }) => messages.filter(({ flags }) => !flags.has('\\Seen')).length,
}

function status(session: ImapSession, { args: [name, items] }: Command): Outcome {
  const text = textOf(name)
  if (text === undefined || items?.kind !== 'list') return BAD
  const folder = session.account?.folder(text)
  if (folder === undefined) return MISSING
  const counts: string[] = []
  for (const item of items.items) {
    const key = textOf(item)?.toUpperCase() ?? ''
    const count = STATUS[key]
    if (count === undefined) return BAD
    counts.push(`${key} ${count(folder)}`)
  }
  session.send(`* STATUS ${quoted(folder.name)} (${counts.join(' ')})`)
  return 'OK done'
}

function list(session: ImapSession, { name, args }: Command): Outcome {
  // LIST may begin with selection options and end with return options (RFC 5258): they choose nothing here.
  const [reference, pattern] = args.filter(({ kind }) => kind !== 'list').map(textOf)
  if (reference === undefined || pattern === undefined || session.account === undefined) return BAD
  if (pattern === '') {
    session.send(`* ${name} (\\Noselect) "/" ""`)
    return 'OK done'
  }
  const matches = matcher(reference + pattern)
  const { account } = session
  const names = [...account.folders.keys()].sort()
  for (const folder of names) {
    if (!matches(folder) || (name === 'LSUB' && !account.subscribed.has(folder))) continue
    const children = names.some((other) => other.startsWith(`${folder}/`))
    const use = account.folders.get(folder)?.specialUse
    const attributes = [children ? '\\HasChildren' : '\\HasNoChildren', ...(use === undefined ? [] : [use])]
    session.send(`* ${name} (${attributes.join(' ')}) "/" ${quoted(folder)}`)
  }
  return 'OK done'
}

/** `*` is any text, `%` any text without a separator (RFC 9051 section 6.3.9). */
function matcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[*%]+/g, (run) => (run.includes('*') ? '*' : '%'))
    .replace(/[.+?^${}()|[\]\\/]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/%/g, '[^/]*')
  const expression = new RegExp(`^${source}$`, 'i')
  return (name) => expression.test(name)
}

function append(session: ImapSession, { args }: Command): Outcome {
  const name = textOf(args[0])
  const message = args.at(-1)
  if (name === undefined || message?.kind !== 'string' || args.length < 2) return BAD
  const folder = session.account?.folder(name)
  if (folder === undefined) return 'NO [TRYCREATE] no such mailbox'
  const between = args.slice(1, -1)
  const list = between.find((value) => value.kind === 'list')
  const flags = list?.kind === 'list' ? list.items.flatMap((item) => textOf(item) ?? []) : []
  const date = textOf(between.find((value) => value.kind === 'string'))
  const when =
    date === undefined
      ? new Date()
      : new Date(
          date
            .trim()
            .replace(/-/g, ' ')
            .replace(/ (\d{4})$/, ' -$1'),
        )
  const stored = folder.append(
    Buffer.from(message.text, 'latin1'),
    flags,
    Number.isNaN(when.getTime()) ? new Date() : when,
  )
  return `OK [APPENDUID ${folder.uidValidity} ${stored.uid}] done`
}

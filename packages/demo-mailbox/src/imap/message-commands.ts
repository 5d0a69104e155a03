// SPDX-License-Identifier: MIT
import type { Folder, StoredMessage } from '../mail-store.js'
import { fetchData, fetchItems, marksSeen } from './fetch.js'
import { type Command, inSet, parseSet, textOf, type Value } from './parse.js'
import { search } from './search.js'
import type { Handler, ImapSession, Outcome } from './session.js'
import type { View } from './view.js'

const BAD: Outcome = 'BAD wrong arguments'
const READ_ONLY: Outcome = 'NO [READ-ONLY] opened by EXAMINE'

/** Commands of the selected folder. */
export const messageCommands: Readonly<Record<string, Handler>> = {
  CHECK: () => 'OK done',
  CLOSE(session) {
    if (session.view !== undefined && !session.view.readOnly) expunge(session.view.folder)
    session.view = undefined
    return 'OK done'
  },
  UNSELECT(session) {
    session.view = undefined
    return 'OK done'
  },
  EXPUNGE: inView((_session, view) => {
    if (view.readOnly) return READ_ONLY
    expunge(view.folder)
    return 'OK done'
  }),
  FETCH: inView((session, view, { args }) => fetch(session, view, args, false)),
  STORE: inView((session, view, { args }) => store(session, view, args, false)),
  SEARCH: inView((session, view, { args }) => find(session, view, args, false)),
  COPY: inView((session, view, { args }) => copy(session, view, args, false, false)),
  MOVE: inView((session, view, { args }) => copy(session, view, args, false, true)),
  UID: inView(uid),
}

function inView(act: (session: ImapSession, view: View, command: Command) => Outcome): Handler {
  return (session, command) => (session.view === undefined ? BAD : act(session, session.view, command))
}

function uid(session: ImapSession, view: View, { args: [name, ...args] }: Command): Outcome {
  switch (textOf(name)?.toUpperCase()) {
    case 'FETCH':
      return fetch(session, view, args, true)
    case 'STORE':
      return store(session, view, args, true)
    case 'SEARCH':
      return find(session, view, args, true)
    case 'COPY':
      return copy(session, view, args, true, false)
    case 'MOVE':
      return copy(session, view, args, true, true)
    case 'EXPUNGE': {
      const set = parseSet(textOf(args[0]) ?? '', view.messages.at(-1)?.uid ?? 0)
      if (set === undefined) return BAD
      if (view.readOnly) return READ_ONLY
      expunge(view.folder, (message) => inSet(set, message.uid))
      return 'OK done'
    }
    default:
      return BAD
  }
}

function expunge(folder: Folder, chosen: (message: StoredMessage) => boolean = () => true): void {
  folder.remove(new Set(folder.messages.filter((message) => message.flags.has('\\Deleted') && chosen(message))))
}

function fetch(session: ImapSession, view: View, args: readonly Value[], byUid: boolean): Outcome {
  const chosen = view.select(textOf(args[0]) ?? '', byUid)
  const asked = fetchItems(args[1])
  if (chosen === undefined || asked === undefined) return BAD
  const items = byUid && !asked.includes('UID') ? ['UID', ...asked] : asked
  const seen = marksSeen(items) && !view.readOnly
  let changed = false
  for (const [index, message] of chosen) {
    const newly = seen && !message.flags.has('\\Seen')
    if (newly) message.flags.add('\\Seen')
    const told = newly && !items.includes('FLAGS') ? [...items, 'FLAGS'] : items
    const data = fetchData(message, told)
    if (data === undefined) return BAD
    if (told.includes('FLAGS')) view.told(message)
    session.send(`* ${index + 1} FETCH (${data})`)
    changed ||= newly
  }
  if (changed) view.folder.changed()
  return 'OK done'
}

function store(session: ImapSession, view: View, args: readonly Value[], byUid: boolean): Outcome {
  const chosen = view.select(textOf(args[0]) ?? '', byUid)
  const how = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(textOf(args[1]) ?? '')
  const [first, ...more] = args.slice(2)
  if (chosen === undefined || how === null || first === undefined) return BAD
  if (view.readOnly) return READ_ONLY
  const flags = (first.kind === 'list' ? first.items : [first, ...more]).flatMap((value) => textOf(value) ?? [])
  for (const [index, message] of chosen) {
    if (how[1] === '') message.flags.clear()
    for (const flag of flags.map(canonical)) {
      if (how[1] === '-') message.flags.delete(flag)
      else message.flags.add(flag)
    }
    view.told(message)
    const id = byUid ? `UID ${message.uid} ` : ''
    if (how[2] === undefined) session.send(`* ${index + 1} FETCH (${id}FLAGS (${[...message.flags].join(' ')}))`)
  }
  view.folder.changed()
  return 'OK done'
}

/** System flags are the same in any case. */
function canonical(flag: string): string {
  return flag.startsWith('\\') ? `\\${flag[1]?.toUpperCase() ?? ''}${flag.slice(2).toLowerCase()}` : flag
}

function find(session: ImapSession, view: View, args: readonly Value[], byUid: boolean): Outcome {
  const found = search(view.messages, args)
  if (found === undefined || args.length === 0) return BAD
  const numbers = found.map((index) => (byUid ? (view.messages[index]?.uid ?? 0) : index + 1))
  session.send(['* SEARCH', ...numbers].join(' '))
  return 'OK done'
}

function copy(session: ImapSession, view: View, args: readonly Value[], byUid: boolean, move: boolean): Outcome {
  const chosen = view.select(textOf(args[0]) ?? '', byUid)
  const name = textOf(args[1])
  if (chosen === undefined || name === undefined) return BAD
  if (move && view.readOnly) return READ_ONLY
  const target = session.account?.folder(name)
  if (target === undefined) return 'NO [TRYCREATE] no such mailbox'
  const from = chosen.map(([, message]) => message)
  const to = from.map(({ raw, flags, internalDate }) => target.append(raw, flags, internalDate).uid)
  const uids = `[COPYUID ${target.uidValidity} ${from.map((message) => message.uid).join(',')} ${to.join(',')}]`
  if (!move) return from.length === 0 ? 'OK nothing to copy' : `OK ${uids} done`
  if (from.length > 0) session.send(`* OK ${uids} moved`)
  view.folder.remove(new Set(from))
  return 'OK done'
}

// SPDX-License-Identifier: MIT
import type { Mailbox } from '../address.js'
import { type Reply, say } from '../replies.js'
import type { Action } from './action-schema.js'
import type { Needs } from './conditions.js'
import type { DisclaimerSettings } from './disclaimer/disclaimer-schema.js'
import type { RuleView } from './rule-view.js'

/** After these nothing else is looked at. */
export type End =
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: true }
  | { readonly kind: 'discard' }
  | { readonly kind: 'quarantine'; readonly address: Mailbox }

/** What rules have done to a message so far. */
export interface Draft {
  readonly view: RuleView
  readonly add: Mailbox[]
  readonly redirect: Mailbox[]
  readonly events: string[]
  readonly disclaimers: DisclaimerSettings[]
}

export interface CompiledAction {
  readonly needs: Needs
  /** For explanations and the log. */
  readonly words: string
  act(draft: Draft): End | undefined
}

/** Where the connection ends: the client may come again (RFC 5321 section 3.8). */
const DISCONNECT: End = { kind: 'refuse', reply: say(421, '4.7.0', 'Closing connection'), close: true }

type Actions = { readonly [K in keyof Action]-?: NonNullable<Action[K]> }
type Handler<V> = {
  readonly needs: Needs
  readonly words: (value: V) => string
  readonly act: (draft: Draft, value: V) => End | undefined
}

function addressing(act: (draft: Draft, to: readonly Mailbox[]) => void): Handler<readonly Mailbox[]> {
  return {
    needs: 'message',
    words: (to) => to.map(({ text }) => text).join(', '),
    act(draft, to) {
      act(draft, to)
      return undefined
    },
  }
}

function changing<V>(words: (value: V) => string, change: (draft: Draft, value: V) => void): Handler<V> {
  return {
    needs: 'header',
    words,
    act(draft, value) {
      change(draft, value)
      return undefined
    },
  }
}

const quoted = (text: string) => JSON.stringify(text)

const HANDLERS: { readonly [K in keyof Actions]: Handler<Actions[K]> } = {
  addRecipients: addressing(({ view, add }, to) => {
    view.header.nameIn('To', to)
    add.push(...to)
  }),
  copyTo: addressing(({ view, add }, to) => {
    view.header.nameIn('Cc', to)
    add.push(...to)
  }),
  blindCopyTo: addressing(({ add }, to) => void add.push(...to)),
  redirectTo: addressing(({ redirect }, to) => void redirect.push(...to)),
  delete: { needs: 'message', words: () => '', act: () => ({ kind: 'discard' }) },
  disconnect: { needs: 'header', words: () => '', act: () => DISCONNECT },
  reject: {
    needs: 'header',
    words: (value) => `${value.code} ${enhancedOf(value)} ${quoted(value.text)}`,
    act: (_, value) => ({ kind: 'refuse', reply: say(value.code, enhancedOf(value), value.text) }),
  },
  quarantine: { needs: 'message', words: ({ text }) => text, act: (_, address) => ({ kind: 'quarantine', address }) },
  logEvent: changing(quoted, ({ events }, text) => void events.push(text)),
  prependSubject: changing(quoted, ({ view }, text) => view.header.prependSubject(text)),
  setHeader: changing(
    ({ name, value }) => `${name}: ${value}`,
    ({ view }, { name, value }) => view.header.set(name, value),
  ),
  removeHeader: changing(
    (names) => names.join(', '),
    ({ view }, names) => {
      for (const name of names) view.header.remove(name)
    },
  ),
  disclaimer: {
    needs: 'message',
    words: ({ location, fallback }) => `${location}, or ${fallback}`,
    act({ disclaimers }, disclaimer) {
      disclaimers.push(disclaimer)
      return undefined
    },
  },
  setScl: changing(String, ({ view }, level) => {
    view.scl = level
    view.sclSet = level
  }),
}

function enhancedOf({ code, enhanced }: Actions['reject']): string {
  return enhanced ?? `${String(code).charAt(0)}.7.1`
}

/** The one action that an entry of `then` has. */
export function compiledAction(action: Action): CompiledAction {
  const name = (Object.keys(HANDLERS) as (keyof Actions)[]).find((key) => action[key] !== undefined)
  if (name === undefined) throw new Error('an action without a name')
  return bound(name, action as Actions)
}

function bound<K extends keyof Actions>(name: K, action: Actions): CompiledAction {
  const handler: Handler<Actions[K]> = HANDLERS[name]
  const value = action[name]
  return {
    needs: handler.needs,
    words: `${name} ${handler.words(value)}`.trimEnd(),
    act: (draft) => handler.act(draft, value),
  }
}

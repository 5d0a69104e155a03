// SPDX-License-Identifier: MIT
import { type Networks, networksOf } from '@portico/base'
import { connectorSchema, type WrittenConnector } from './connector-schema.js'
import type { Permissions } from './permissions.js'

/** The policy of an SMTP listener for some of its clients: who may send what to whom, and how. */
export interface Connector
  extends Omit<WrittenConnector, 'remote' | 'submission' | 'permissions' | 'requireTls' | 'mechanisms'> {
  /** Its key under `smtp.connectors`. */
  readonly name: string
  /** Undefined: it holds everybody. */
  readonly remote: Networks | undefined
  readonly submission: boolean
  readonly permissions: Permissions
  readonly requireTls: boolean
  /** In upper case; undefined allows all that could be offered. */
  readonly mechanisms: readonly string[] | undefined
}

const STRANGERS: Permissions = {
  anonymous: ['submit', 'any-sender', 'own-domain-sender', 'routing-headers'],
  authenticated: [],
}
const USERS: Permissions = {
  anonymous: [],
  authenticated: ['submit', 'relay', 'any-sender', 'bypass-anti-spam', 'routing-headers'],
}
/** Whoever the site lets in as its partner: nobody, until it says whom. */
const PARTNERS: Permissions = { ...STRANGERS, anonymous: [...STRANGERS.anonymous, 'telephony-headers'] }
const NOBODY = networksOf([])

const ALWAYS = ['inbound', 'client', 'partner']

/** The connectors of a site: those that are written, and the three that always exist. */
export function completeConnectors(
  written: Readonly<Record<string, WrittenConnector>>,
): ReadonlyMap<string, Connector> {
  const names = new Set([...ALWAYS, ...Object.keys(written)])
  return new Map([...names].map((name) => [name, complete(name, written[name] ?? connectorSchema.parse({}))]))
}

/** What is not written is as for `inbound`, or as for `client` where it is for submission. */
function complete(name: string, written: WrittenConnector): Connector {
  const submission = written.submission ?? name === 'client'
  const permissions = submission ? USERS : name === 'partner' ? PARTNERS : STRANGERS
  return {
    ...written,
    name,
    submission,
    remote: written.remote ?? (name === 'partner' ? NOBODY : undefined),
    requireTls: written.requireTls ?? name === 'partner',
    mechanisms: written.mechanisms,
    permissions: {
      anonymous: written.permissions.anonymous ?? permissions.anonymous,
      authenticated: written.permissions.authenticated ?? permissions.authenticated,
    },
  }
}

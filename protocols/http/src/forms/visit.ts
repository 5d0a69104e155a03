// SPDX-License-Identifier: MIT
import { isClientEncrypted } from '../client/client-facts.js'
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import { Field } from '../codec/fields.js'
import type { Placed } from '../directory/directories.js'
import type { HttpSettings } from '../schema.js'
import { type CookieNames, cookieNames, cookieValue } from './cookies.js'
import { configuredRing, type KeyRing } from './key-ring.js'
import { Revocations } from './revocations.js'
import type { FormsSettings } from './schema.js'
import type { SealPlace, Timeouts } from './seal.js'
import { sharedRing } from './shared-ring.js'

/** What all sign-ins of one configuration have in common. */
export interface Forms {
  readonly settings: FormsSettings
  readonly timeouts: Timeouts
  readonly ring: KeyRing
  readonly revocations: Revocations
}

const made = new WeakMap<HttpSettings, Forms>()

function formsOf({ session, prepared }: Connection): Forms {
  const known = made.get(prepared.settings)
  if (known !== undefined) return known
  const { services } = session
  const { forms: settings } = prepared.settings
  const timeouts = { public: settings.publicTimeout, private: settings.privateTimeout }
  const [first, ...others] = settings.keys.map((key) => key.expose())
  const longest = 1.5 * Math.max(...Object.values(timeouts))
  const ring = first === undefined ? sharedRing(services.state, longest) : configuredRing([first, ...others])
  const revocations = new Revocations(services.state, services.clock)
  services.disposeWhenRetired(revocations)
  const forms = { settings, timeouts, ring, revocations }
  made.set(prepared.settings, forms)
  return forms
}

/** One request, as the sign-in sees it. */
export class Visit {
  readonly connection: Connection
  readonly request: Incoming
  readonly placed: Placed
  readonly forms: Forms
  /** The client's own side is encrypted, here or at one of the site's proxies. */
  readonly encrypted: boolean
  readonly names: CookieNames
  readonly #at: number
  readonly #host: string

  constructor(connection: Connection, request: Incoming, placed: Placed) {
    this.connection = connection
    this.request = request
    this.placed = placed
    this.forms = formsOf(connection)
    const { session } = connection
    this.encrypted = isClientEncrypted(session, request.head.fields)
    this.names = cookieNames(this.encrypted)
    this.#at = session.services.clock.wallNow()
    // Cookies know no ports (RFC 6265 section 8.5).
    this.#host = (request.authority ?? '').toLowerCase().replace(/:\d+$/, '')
  }

  get mount(): string {
    return this.placed.directory.mount
  }

  get now(): number {
    return this.#at
  }

  /** Where a sealed value of this cookie holds. */
  place(cookie: string): SealPlace {
    return { cookie, host: this.#host, at: this.#at }
  }

  /** The value of a cookie; the first, where there are several of the name. */
  cookie(name: string): string | undefined {
    const { fields } = this.request.head
    for (let index = 0; index < fields.count; index += 1) {
      if (fields.ids[index] !== Field.cookie) continue
      const value = cookieValue(fields.value(index), name)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** Value of a field that only this page cares about; its name in lower case. */
  field(name: string): string | undefined {
    return this.request.head.fields.named(name)
  }

  /** The request's query. */
  get query(): URLSearchParams {
    return new URLSearchParams(this.request.query)
  }
}

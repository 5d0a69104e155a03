// SPDX-License-Identifier: MIT
import { type Cancellation, type EmailAddress, type MailboxLocation, Secret } from '@portico/base'
import { isAddress, type LocateAnswer, type Locator } from '../locator.js'
import type { SettingsOf } from './schema.js'

/** What the lookup service said: the value of an opaque route, and the answer for a recipient. */
export interface HttpRoute {
  readonly host: string
  readonly port: number
  /** The user name for the backend, when it is not the client's. */
  readonly user?: string
  /** The password for the backend, when it is not the client's. */
  readonly password?: Secret<string>
}

/** Asks the lookup service for a recipient. */
export type AddressLookup = (
  address: EmailAddress,
  signal: Cancellation,
) => Promise<
  | { readonly kind: 'found'; readonly route: HttpRoute }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly cause?: unknown }
>

/**
 * Uses the route that the credential source of the same name brought along with its verdict: one request per login. A principal
 * of another source is not known here.
 */
export function createAuthHttpLocator(settings: SettingsOf<'auth-http'>, lookup?: AddressLookup): Locator {
  const found = (route: HttpRoute): LocateAnswer => ({ kind: 'found', location: locationOf(settings, route) })
  return {
    name: settings.source,
    async locate(who, signal): Promise<LocateAnswer> {
      if (isAddress(who)) {
        if (lookup === undefined) return { kind: 'none' }
        const answer = await lookup(who, signal)
        return answer.kind === 'found' ? found(answer.route) : answer
      }
      if (who.route?.source !== settings.source) return { kind: 'none' }
      const { value } = who.route
      return isRoute(value)
        ? found(value)
        : { kind: 'unavailable', cause: new Error('the lookup gave no usable route') }
    },
    async [Symbol.asyncDispose]() {},
  }
}

function locationOf({ group, source }: SettingsOf<'auth-http'>, route: HttpRoute): MailboxLocation {
  return {
    group,
    source,
    endpoint: { kind: 'tcp', host: route.host, port: route.port },
    ...(route.user === undefined ? {} : { backendUser: route.user }),
    ...(route.password === undefined ? {} : { backendPassword: route.password }),
  }
}

function isRoute(value: unknown): value is HttpRoute {
  if (typeof value !== 'object' || value === null) return false
  const { host, port, user, password } = value as Partial<Record<keyof HttpRoute, unknown>>
  return (
    typeof host === 'string' &&
    host !== '' &&
    Number.isInteger(port) &&
    Number(port) >= 1 &&
    Number(port) <= 65535 &&
    (user === undefined || typeof user === 'string') &&
    (password === undefined || password instanceof Secret)
  )
}

// SPDX-License-Identifier: MIT
import { allowedMechanisms } from '@portico/auth'
import type { Topology } from '@portico/routing'
import type { Protocol } from '@portico/session'
import type { FrontEndSettings } from './schema.js'

/** Protocols with a backend that wants to see a password: a sign-in that leaves none would end there. */
export function passwordProtocols(
  { backends, protocols }: Pick<FrontEndSettings, 'backends' | 'protocols'>,
  topology: Topology,
): ReadonlySet<string> {
  const takesPasswords = (protocol: string): boolean =>
    Object.keys(backends).some((group) =>
      topology.backendsOf(group, protocol).some(({ identity }) => identity.kind === 'password'),
    )
  return new Set([...protocols.keys()].filter(takesPasswords))
}

/** Whether a mechanism that shows no password can do where the backends want to see one: the answer of a service may bring it. */
export function bringsPasswords({ credentials }: FrontEndSettings): boolean {
  return credentials.some((source) => source.type === 'auth-http' && source.methods.length > 0)
}

/** Names of the mechanisms that some client of the protocol could be offered. */
export function usableMechanisms(
  settings: FrontEndSettings,
  topology: Topology,
  { name }: Pick<Protocol<never>, 'name'>,
): string[] {
  const onlyPasswords = passwordProtocols(settings, topology).has(name) && !bringsPasswords(settings)
  const allowed = allowedMechanisms(settings.auth)
  return allowed.filter((one) => !onlyPasswords || one.sendsPasswordInClear).map((one) => one.name)
}

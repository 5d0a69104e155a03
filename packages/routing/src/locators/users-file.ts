// SPDX-License-Identifier: MIT
import type { EmailAddress, MailboxLocation, Principal } from '@portico/base'
import { isAddress, type LocateAnswer, type Locator } from '../locator.js'
import type { SettingsOf } from './schema.js'

/** An account as the users file has it. */
export interface UserRecord {
  readonly user: string
  readonly fields: ReadonlyMap<string, string>
}

/** The users file as a directory. */
export interface UserDirectory {
  lookup(name: string): UserRecord | undefined
}

const NAME = 'users-file'

/** Reads the location from the fields `group`, `host` and `destuser` of an account. */
export function createUsersFileLocator(settings: SettingsOf<'users-file'>, directory: UserDirectory): Locator {
  const domains = new Set(settings.domains)
  return {
    name: NAME,
    async locate(who): Promise<LocateAnswer> {
      const record = recordOf(who, directory, domains)
      const group = record?.fields.get('group') ?? (record === undefined ? undefined : settings.group)
      if (record === undefined || group === undefined) return { kind: 'none' }
      return { kind: 'found', location: locationOf(record, group, isAddress(who)) }
    },
    async [Symbol.asyncDispose]() {},
  }
}

function recordOf(
  who: Principal | EmailAddress,
  directory: UserDirectory,
  domains: ReadonlySet<string>,
): UserRecord | undefined {
  if (!isAddress(who)) return who.fields.has('group') ? who : directory.lookup(who.user)
  if (who.domain === '') return directory.lookup(who.local)
  return (
    directory.lookup(`${who.local}@${who.domain}`) ??
    (domains.has(who.domain) ? directory.lookup(who.local) : undefined)
  )
}

function locationOf({ fields }: UserRecord, group: string, forAddress: boolean): MailboxLocation {
  const host = fields.get('host')
  // A recipient keeps the address it was sent to: only somebody who signs in has a name at the backend.
  const backendUser = forAddress ? undefined : fields.get('destuser')
  return {
    group,
    source: NAME,
    ...(host === undefined ? {} : { host }),
    ...(backendUser === undefined ? {} : { backendUser }),
  }
}

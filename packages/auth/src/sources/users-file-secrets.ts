// SPDX-License-Identifier: MIT
import { createHmac } from 'node:crypto'
import type { SecretKind, StoredSecret } from '@portico/sasl'
import type { Hashing } from '../hash/hash-threads.js'
import { decoyFor, type StoredPassword } from '../hash/index.js'

const SALT_OCTETS = 16

/** What proofs are checked against, for the accounts of one reading of a users file. */
export interface SecretDesk {
  /** How many accounts can prove in that way, of how many that have a password. */
  holds(kind: SecretKind): { readonly can: number; readonly of: number }
  /**
   * The secret of one account. Without a stored password, or with one of another form, it is a stand-in (`real` is false) that
   * stays the same for the name and takes the same work; no secret: it cannot be made now. `undefined`: no account can prove in
   * that way.
   */
  secretOf(
    name: string,
    stored: StoredPassword | undefined,
    kind: SecretKind,
    threads: Hashing,
  ): Promise<{ readonly secret: StoredSecret | undefined; readonly real: boolean }> | undefined
}

/** `key` makes salts: the same in every process that serves the same file, and not to be guessed by clients. */
export function createSecretDesk(passwords: readonly StoredPassword[], key: Uint8Array): SecretDesk {
  const able = new Map<SecretKind, readonly StoredPassword[]>()
  const ableFor = (kind: SecretKind): readonly StoredPassword[] => {
    const known = able.get(kind) ?? passwords.filter((stored) => stored.secret(kind) !== undefined)
    able.set(kind, known)
    return known
  }
  return {
    holds: (kind) => ({ can: ableFor(kind).length, of: passwords.length }),
    secretOf(name, stored, kind, threads) {
      const own = stored?.secret(kind)
      // Drawn for known names too, whose refusals would else come earlier by a hash.
      const make = [own, decoyFor(ableFor(kind), name, key)?.secret(kind)].find((maker) => maker !== undefined)
      if (make === undefined) return undefined
      const salt = createHmac('sha256', key).update(`${kind}\0${name}`).digest()
      return make(salt.subarray(0, SALT_OCTETS), threads).then((secret) => ({
        secret: own === undefined && secret !== undefined ? standIn(secret, salt) : secret,
        real: own !== undefined,
      }))
    },
  }
}

/** Somebody else's salt would show that the name has no account. */
function standIn(secret: StoredSecret, salt: Uint8Array): StoredSecret {
  return secret.kind === 'scram' ? { ...secret, salt: salt.subarray(0, secret.salt.length) } : secret
}

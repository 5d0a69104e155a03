// SPDX-License-Identifier: MIT
import type { Secret } from '@portico/base'
import type { CredentialAnswer, CredentialSource } from '../credential-source.js'

const NO_FIELDS: ReadonlyMap<string, string> = new Map()

/** Asks nobody: the backend that gets the client's password says whether it is right. Usually the last source of the list. */
export function createDeferredSource(options: { readonly name?: string } = {}): CredentialSource {
  const name = options.name ?? 'deferred'
  const defer = (authcid: string, mechanism: string, password: Secret<string>): CredentialAnswer => ({
    kind: 'deferred',
    principal: {
      authcid,
      user: authcid.toLowerCase(),
      mechanism,
      strength: 'plain',
      proof: { password },
      source: name,
      epoch: '',
      fields: NO_FIELDS,
    },
  })
  return {
    name,
    serves: new Set(['verify-plain']),
    async verify({ authcid, mechanism, password }) {
      if (authcid === '' || password.expose() === '') return { kind: 'rejected', reason: 'invalid-credentials' }
      return defer(authcid, mechanism, password)
    },
    async account({ earlier, authcid, mechanism }) {
      if (earlier.source !== name) return { kind: 'not-here' }
      const { password } = earlier
      return password === undefined
        ? { kind: 'rejected', reason: 'invalid-credentials' }
        : defer(authcid, mechanism, password)
    },
    async [Symbol.asyncDispose]() {},
  }
}

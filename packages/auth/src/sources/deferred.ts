// SPDX-License-Identifier: MIT
import type { CredentialSource } from '../credential-source.js'

const NO_FIELDS: ReadonlyMap<string, string> = new Map()

/** Asks nobody: the backend that gets the client's password says whether it is right. Usually the last source of the list. */
export function createDeferredSource(options: { readonly name?: string } = {}): CredentialSource {
  const name = options.name ?? 'deferred'
  return {
    name,
    serves: new Set(['verify-plain']),
    async verify({ authcid, mechanism, password }) {
      if (authcid === '' || password.expose() === '') return { kind: 'rejected', reason: 'invalid-credentials' }
      return {
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
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

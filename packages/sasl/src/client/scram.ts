// SPDX-License-Identifier: MIT
import { deriveScramKeys, type ScramHash, scramHmac, xor } from '../scram-keys.js'
import { writeSaslname } from '../scram-messages.js'

export interface ScramClientOptions {
  readonly hash: ScramHash
  readonly authcid: string
  readonly password: string
  readonly authzid?: string
  readonly nonce: string
  /** `unused`: the client could, but the server did not offer it. Absent: the client cannot. */
  readonly binding?: 'unused' | { readonly type: string; readonly data: Uint8Array }
}

/** The client's side of one SCRAM exchange (RFC 5802), messages not yet in base64. */
export interface ScramClient {
  readonly first: Buffer
  /** The final message. Throws `TypeError` for a server-first-message that is none or that is not of this exchange. */
  final(serverFirst: Uint8Array): Promise<Buffer>
  /** Whether the server has proved to know the password as well. */
  verify(serverFinal: Uint8Array): boolean
}

export function scramClient(options: ScramClientOptions): ScramClient {
  const { hash, password, authzid, nonce, binding } = options
  const flag = binding === undefined ? 'n' : binding === 'unused' ? 'y' : `p=${binding.type}`
  const header = `${flag},${authzid === undefined ? '' : `a=${writeSaslname(authzid)}`},`
  const bare = `n=${writeSaslname(options.authcid)},r=${nonce}`
  const data = typeof binding === 'object' ? binding.data : new Uint8Array(0)
  const channel = Buffer.concat([Buffer.from(header), data]).toString('base64')
  let signature = ''
  return {
    first: Buffer.from(header + bare),
    async final(message) {
      const serverFirst = Buffer.from(message).toString()
      const [, all = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d{1,7})$/.exec(serverFirst) ?? []
      if (!all.startsWith(nonce) || all === nonce) throw new TypeError('not the server-first-message of this exchange')
      const keys = await deriveScramKeys(hash, password, Buffer.from(salt, 'base64'), Number(iterations))
      const withoutProof = `c=${channel},r=${all}`
      const signed = `${bare},${serverFirst},${withoutProof}`
      signature = scramHmac(hash, keys.serverKey, signed).toString('base64')
      const proof = xor(keys.clientKey, scramHmac(hash, keys.storedKey, signed))
      return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
    },
    verify: (message) => signature !== '' && Buffer.from(message).toString() === `v=${signature}`,
  }
}

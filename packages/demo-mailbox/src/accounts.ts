// SPDX-License-Identifier: MIT
import type { Account } from './mail-store.js'

/** The accounts of one server, and the master user that may act for all of them. */
export class Accounts {
  readonly #accounts: ReadonlyMap<string, Account>
  readonly #master: { readonly name: string; readonly password: string } | undefined

  constructor(accounts: readonly Account[], master?: { readonly name: string; readonly password: string }) {
    this.#accounts = new Map(accounts.map((account) => [account.name.toLowerCase(), account]))
    this.#master = master
  }

  get(name: string): Account | undefined {
    return this.#accounts.get(name.toLowerCase())
  }

  /** Whose mail is opened; undefined when the proof fails. `authzid` needs the master user, except for oneself. */
  login(authcid: string, password: string, authzid = ''): Account | undefined {
    if (this.#master !== undefined && authcid === this.#master.name) {
      return password === this.#master.password ? this.get(authzid) : undefined
    }
    const account = this.get(authcid)
    if (account === undefined || account.password !== password) return undefined
    return authzid === '' || this.get(authzid) === account ? account : undefined
  }

  /** A SASL PLAIN message in base64 (RFC 4616). */
  loginPlain(base64: string): Account | undefined {
    const [authzid, authcid, password, ...rest] = Buffer.from(base64, 'base64').toString('utf8').split('\0')
    if (authcid === undefined || password === undefined || rest.length > 0) return undefined
    return this.login(authcid, password, authzid)
  }
}

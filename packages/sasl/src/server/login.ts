// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { type PlainReader, type PlainStep, plainExchange } from './plain-exchange.js'
import { decodeUtf8, MAX_FIELD_OCTETS } from './text.js'

const USER_PROMPT = Buffer.from('Username:')
const PASSWORD_PROMPT = Buffer.from('Password:')

/**
 * LOGIN (draft-murchison-sasl-login): two prompts, user name then password. Never standardised, asked for by many clients; those
 * compare the prompts letter by letter. An initial response is taken as the user name.
 */
export const login: Mechanism = {
  name: 'LOGIN',
  needs: 'verify-plain',
  sendsPasswordInClear: true,
  strength: 'plain',
  begin: (context) => plainExchange(loginReader(), context),
}

function loginReader(): PlainReader {
  let asked = false
  let user: string | undefined
  const read = (response: Uint8Array | undefined): PlainStep => {
    if (response === undefined) {
      if (asked) return { kind: 'failure', reason: 'malformed' }
      asked = true
      return { kind: 'challenge', data: USER_PROMPT }
    }
    asked = true
    if (response.length > MAX_FIELD_OCTETS) return { kind: 'failure', reason: 'too-long' }
    const text = decodeUtf8(response)
    if (text === undefined || text.includes('\0')) return { kind: 'failure', reason: 'malformed' }
    if (user !== undefined) {
      return { kind: 'shown', credentials: { authcid: user, authzid: undefined, password: text } }
    }
    user = text
    return { kind: 'challenge', data: PASSWORD_PROMPT }
  }
  return {
    read,
    forget() {
      user = undefined
    },
  }
}

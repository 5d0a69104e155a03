// SPDX-License-Identifier: MIT
import type { Mechanism } from '../mechanism.js'
import { type PlainReader, type PlainStep, plainExchange } from './plain-exchange.js'
import { decodeUtf8, MAX_FIELD_OCTETS } from './text.js'

const NOTHING = new Uint8Array(0)

/** PLAIN (RFC 4616): one message, `[authzid] NUL authcid NUL passwd`. */
export const plain: Mechanism = {
  name: 'PLAIN',
  needs: 'verify-plain',
  sendsPasswordInClear: true,
  strength: 'plain',
  begin: (context) => plainExchange(plainReader(), context),
}

function plainReader(): PlainReader {
  let asked = false
  return {
    read(response) {
      if (response !== undefined) return readPlain(response)
      // A client-first mechanism without an initial response gets one empty challenge (RFC 4422 section 3).
      if (asked) return { kind: 'failure', reason: 'malformed' }
      asked = true
      return { kind: 'challenge', data: NOTHING }
    },
    forget() {},
  }
}

/** The message of RFC 4616 section 2. An empty authzid is an absent one; an empty authcid or passwd is no credential. */
function readPlain(message: Uint8Array): PlainStep {
  if (message.length > 3 * MAX_FIELD_OCTETS + 2) return { kind: 'failure', reason: 'too-long' }
  const text = decodeUtf8(message)
  const parts = text?.split('\0')
  if (parts?.length !== 3) return { kind: 'failure', reason: 'malformed' }
  const [authzid = '', authcid = '', password = ''] = parts
  if (parts.some((part) => Buffer.byteLength(part) > MAX_FIELD_OCTETS)) return { kind: 'failure', reason: 'too-long' }
  return { kind: 'shown', credentials: { authcid, authzid: authzid === '' ? undefined : authzid, password } }
}

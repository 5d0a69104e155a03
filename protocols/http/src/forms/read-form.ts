// SPDX-License-Identifier: MIT
import type { Connection } from '../client/connection.js'
import type { Incoming } from '../client/incoming.js'
import { readBody } from '../client/read-body.js'

/** Octets of a form; a name, a password, a destination and their escapes are far below it. */
const LONGEST_FORM = 16 * 1024

/** What a client has filled in, or why it is not known. */
export type FormRead = URLSearchParams | 'not-a-form' | 'too-long' | 'broken' | 'gone'

/** Reads a form (WHATWG URL standard, `application/x-www-form-urlencoded`) in the time that a request head may take. */
export async function readForm(
  connection: Connection,
  request: Incoming,
  contentType: string | undefined,
): Promise<FormRead> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? '')) return 'not-a-form'
  const body = await readBody(connection, request, LONGEST_FORM)
  return typeof body === 'string' ? body : new URLSearchParams(body.toString())
}

// SPDX-License-Identifier: MIT
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER = '.well-known/acme-challenge'
const PREFIX = `/${FOLDER}/`

/** Tokens are base64url (RFC 8555 section 8.3): nothing in one can lead out of the folder. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/

/** A key authorization is a token and a fingerprint (RFC 8555 section 8.1). Octets. */
const LARGEST = 1_024

/** The token of a path that a certificate authority asks for. */
export function acmeTokenOf(path: string): string | undefined {
  if (!path.startsWith(PREFIX)) return undefined
  const token = path.slice(PREFIX.length)
  return TOKEN.test(token) ? token : undefined
}

/** What lies there for it; `code` says why nothing can be served: that of the system, or our own word. */
export type Challenge =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none'; readonly code: string }

/**
 * Reads the answer to a challenge that an ACME client left under its webroot. Only a plain, small file is read: no link, so that who
 * may write there cannot show another file of this machine, and no pipe or device, which could be waited for without end.
 */
export async function readChallenge(webroot: string, token: string): Promise<Challenge> {
  let file: FileHandle | undefined
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    file = await open(join(webroot, FOLDER, token), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    if (!(await file.stat()).isFile()) return { kind: 'none', code: 'no-file' }
    const buffer = Buffer.alloc(LARGEST + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    if (bytesRead > LARGEST) return { kind: 'none', code: 'too-large' }
    return { kind: 'text', text: buffer.toString('utf8', 0, bytesRead) }
  } catch (error) {
    return { kind: 'none', code: (error as NodeJS.ErrnoException).code ?? 'failed' }
  } finally {
    await file?.close()
  }
}

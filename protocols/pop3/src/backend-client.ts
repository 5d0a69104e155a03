// SPDX-License-Identifier: MIT
import type { BackendDialogue, BackendFailed } from '@portico/session'
import { parseResponse } from './parse.js'

/** A backend's verdict on a command. */
export type Answer =
  | { readonly kind: 'ok'; readonly text: string }
  | { readonly kind: 'error'; readonly code: string | undefined }
  | { readonly kind: 'continue' }
  | BackendFailed

/** Sends a command, if there is one, and reads the one line of its answer (RFC 1939 section 3). */
export async function ask(dialogue: BackendDialogue, command?: string): Promise<Answer> {
  if (command !== undefined) dialogue.send(`${command}\r\n`)
  const line = await dialogue.line()
  if (line.kind === 'failed') return line
  const response = parseResponse(line.text)
  return response.kind === 'garbage' ? dialogue.fail('garbage') : response
}

/** The lines of a multi-line answer whose first line was already read, without byte-stuffing and the final dot. */
export async function readList(dialogue: BackendDialogue): Promise<readonly string[] | BackendFailed> {
  const lines: string[] = []
  for (;;) {
    const line = await dialogue.line()
    if (line.kind === 'failed') return line
    if (line.text === '.') return lines
    lines.push(line.text.startsWith('.') ? line.text.slice(1) : line.text)
  }
}

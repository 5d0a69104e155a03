// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url'
import { imap4 } from '@portico/imap4'
import { runTranscripts } from '@portico/testkit'
import { describe } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

describe('conversations', () => runTranscripts(here('./transcripts'), imap4))

describe('accounts that may not sign in', () =>
  runTranscripts(here('./account-transcripts'), imap4, {
    config: { credentials: [{ type: 'users-file', path: here('./accounts.users') }] },
  }))

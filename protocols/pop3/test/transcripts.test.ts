// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url'
import { pop3 } from '@portico/pop3'
import { runTranscripts } from '@portico/testkit'
import { describe } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

describe('conversations', () => runTranscripts(here('./transcripts'), pop3))

describe('accounts that may not sign in', () =>
  runTranscripts(here('./account-transcripts'), pop3, {
    config: { credentials: [{ type: 'users-file', path: here('./accounts.users') }] },
  }))

// SPDX-License-Identifier: MIT
import { runTranscripts, testFailureRows } from '@portico/testkit'
import { smtp } from '../src/index.js'
import { AUTH_ROWS, RECIPIENT_ROWS } from './failure-rows.js'

const TRANSCRIPTS = new URL('transcripts/', import.meta.url)

runTranscripts(TRANSCRIPTS, smtp)
testFailureRows('what AUTH says to each failure', TRANSCRIPTS, AUTH_ROWS)
testFailureRows('what RCPT says to each failure', TRANSCRIPTS, RECIPIENT_ROWS)

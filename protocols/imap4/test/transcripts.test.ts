// SPDX-License-Identifier: MIT
import { imap4 } from '@portico/imap4'
import { runTranscripts, testFailureRows } from '@portico/testkit'
import { FAILURE_ROWS } from './failure-rows.js'

const TRANSCRIPTS = new URL('transcripts/', import.meta.url)

runTranscripts(TRANSCRIPTS, imap4)
testFailureRows('what is said to each failure', TRANSCRIPTS, FAILURE_ROWS)

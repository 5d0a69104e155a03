// SPDX-License-Identifier: MIT
import { pop3 } from '@portico/pop3'
import { runTranscripts, testFailureRows } from '@portico/testkit'
import { FAILURE_ROWS } from './failure-rows.js'

const TRANSCRIPTS = new URL('transcripts/', import.meta.url)

runTranscripts(TRANSCRIPTS, pop3)
testFailureRows('what is said to each failure', TRANSCRIPTS, FAILURE_ROWS)

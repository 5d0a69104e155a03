// SPDX-License-Identifier: MIT
import { runTranscripts, testFailureRows } from '@portico/testkit'
import { http } from '../src/index.js'
import { FAILURE_ROWS } from './failure-rows.js'

const TRANSCRIPTS = new URL('transcripts/', import.meta.url)

runTranscripts(TRANSCRIPTS, http)
testFailureRows('what is said to each failure', TRANSCRIPTS, FAILURE_ROWS)

// SPDX-License-Identifier: MIT
import { sip } from '@portico/sip'
import { runTranscripts, testFailureRows } from '@portico/testkit'
import { FAILURE_ROWS } from './failure-rows.js'

const TRANSCRIPTS = new URL('transcripts/', import.meta.url)

runTranscripts(TRANSCRIPTS, sip, {
  config: {
    networks: { gateways: ['127.0.0.0/8'] },
    sip: { domains: ['test.lan'], peers: { networks: ['gateways'] } },
  },
})
testFailureRows('what is said to each failure', TRANSCRIPTS, FAILURE_ROWS)

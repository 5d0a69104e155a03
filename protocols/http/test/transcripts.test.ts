// SPDX-License-Identifier: MIT
import { runTranscripts } from '@portico/testkit'
import { http } from '../src/index.js'

runTranscripts(new URL('transcripts', import.meta.url), http)

// SPDX-License-Identifier: MIT
import { runTranscripts } from '@portico/testkit'
import { smtp } from '../src/index.js'

runTranscripts(new URL('transcripts/', import.meta.url), smtp)

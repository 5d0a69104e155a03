#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runBin } from '@portico/frontend'
import { sip } from './protocol.js'

await runBin(sip, process.argv)

#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runBin } from '@portico/frontend'
import { pop3 } from './protocol.js'

await runBin(pop3, process.argv)

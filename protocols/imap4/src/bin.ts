#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runBin } from '@portico/frontend'
import { imap4 } from './protocol.js'

await runBin(imap4, process.argv)

#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runBin } from '@portico/frontend'
import { smtp } from './protocol.js'

await runBin(smtp, process.argv)

#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runBin } from '@portico/frontend'
import { http } from './protocol.js'

await runBin(http, process.argv)

#!/usr/bin/env node
// SPDX-License-Identifier: MIT
import { runPortico } from './app.js'

await runPortico(process.argv.slice(2))

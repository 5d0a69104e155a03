// SPDX-License-Identifier: MIT
export { runPortico } from './app.js'
export { docsText, schemaText } from './commands.js'
export { protocols } from './protocols.js'

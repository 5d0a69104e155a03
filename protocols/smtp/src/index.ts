// SPDX-License-Identifier: MIT
export { smtp } from './protocol.js'
export { type TriedMessage, type TriedRules, tryRules } from './rules/try-rules.js'
export type { Connector, SmtpSettings } from './schema.js'

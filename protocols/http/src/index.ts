// SPDX-License-Identifier: MIT
export { http } from './protocol.js'
export { type Directory, type HttpSettings, httpSchema } from './schema.js'

// SPDX-License-Identifier: MIT

export type { Directory } from './directory/schema.js'
export { http } from './protocol.js'
export { type HttpSettings, httpSchema } from './schema.js'
export { type WebServices, webServices } from './web-services.js'

// SPDX-License-Identifier: MIT

export { checkConfiguration } from './check-configuration.js'
export * from './create-front-end.js'
export { listenerKeys } from './doors.js'
export * from './front-end.js'
export { listenFailure } from './listen-failure.js'
export {
  type Control,
  hostFile,
  KNOWN_PROTOCOLS,
  logWarnings,
  openLog,
  runBin,
  settingsOf,
  withPositions,
} from './run-bin.js'
export { type FrontEndSettings, frontEndSchema, type ListenerSettings } from './schema.js'

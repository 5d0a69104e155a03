// SPDX-License-Identifier: MIT
import type { Directory } from '../directory/schema.js'

/** Whether Portico itself says what clients are to use in this directory: a group would be asked instead. */
export function isAnswering({ preset, group }: Directory): boolean {
  return preset === 'autodiscover' && group === undefined
}

// SPDX-License-Identifier: MIT
import type { Answer } from './answer.js'
import { answerJson } from './json.js'
import { answerPox } from './pox.js'

/** The answers by their paths in lower case. */
export const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['/autodiscover.json', { deeper: true, signIn: false, methods: ['GET', 'HEAD'], answer: answerJson }],
  ['/autodiscover.xml', { signIn: true, methods: ['GET', 'HEAD', 'POST'], answer: answerPox }],
])

// SPDX-License-Identifier: MIT
import type { Answer } from './answer.js'
import { answerAutoconfig } from './answer-autoconfig.js'
import { answerOwnProfile, answerProfile } from './answer-mobileconfig.js'
import { answerJson } from './json.js'
import { answerPox } from './pox.js'
import { answerSoap } from './soap.js'

const READ = ['GET', 'HEAD'] as const
const AUTOCONFIG: Answer = { atRoot: true, signIn: false, methods: READ, answer: answerAutoconfig }

/** The answers by their paths in lower case. */
export const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['/autodiscover.json', { deeper: true, signIn: false, methods: READ, answer: answerJson }],
  ['/autodiscover.xml', { signIn: true, methods: [...READ, 'POST'], answer: answerPox }],
  ['/autodiscover.svc', { signIn: true, methods: ['POST'], answer: answerSoap }],
  ['/mail/config-v1.1.xml', AUTOCONFIG],
  ['/.well-known/autoconfig/mail/config-v1.1.xml', AUTOCONFIG],
  ['/mail.mobileconfig', { signIn: false, methods: READ, answer: answerProfile }],
  ['/account.mobileconfig', { signIn: true, methods: READ, answer: answerOwnProfile }],
])

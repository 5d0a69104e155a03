// SPDX-License-Identifier: MIT
import { addressesOf } from './addresses.js'
import { type Content, element, elements, type Markup } from './markup.js'
import { answer } from './pox-words.js'
import type { ClientSettings } from './settings.js'

/** Where ActiveSync is, in the mobilesync schema ([MS-ASCMD] section 2.2.1.1). */
export function mobileSettings({ displayName, address, external, mailboxId }: ClientSettings): Markup {
  const url = external && addressesOf(external, mailboxId).activeSync
  const user = { DisplayName: displayName, EMailAddress: address }
  if (url === undefined) return mobileAnswer(user, mobileError('ActiveSync is not available for this mailbox.'))
  const server = elements({ Type: 'MobileSync', Url: url, Name: url })
  return mobileAnswer(user, element('Settings', element('Server', server)))
}

/** That the question is to be asked for another address. */
export function mobileRedirect(asked: string, address: string): Markup {
  return mobileAnswer({ EMailAddress: asked }, element('Redirect', address))
}

/** That nothing is told about this address. */
export function mobileRefusal(asked: string, message: string): Markup {
  return mobileAnswer({ EMailAddress: asked }, mobileError(message))
}

function mobileError(message: string): Markup {
  return element('Error', elements({ Status: '2', Message: message, DebugData: '' }))
}

function mobileAnswer(user: Readonly<Record<string, Content>>, action: Markup): Markup {
  const content = elements({ Culture: 'en:us', User: elements(user), Action: action })
  return answer(content, 'mobilesync')
}

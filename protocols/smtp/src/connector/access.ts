// SPDX-License-Identifier: MIT
import { authContextOf, canStartTls } from '@portico/session'
import type { Mailbox } from '../address.js'
import type { Dialogue } from '../dialogue.js'
import { AUTH_FAILURES, REPLIES, type Reply } from '../replies.js'
import { may } from './permissions.js'
import { maySendAs } from './sender.js'

/** Whether the client has proved who it is. */
export function isSignedIn({ authenticated }: Pick<Dialogue, 'authenticated'>): boolean {
  return authenticated !== undefined
}

/** The mechanisms of AUTH (RFC 4954 section 3); none where nobody signs in. */
export function offeredMechanisms(dialogue: Dialogue): readonly string[] {
  const { session } = dialogue
  const usable = session.services.authenticator.mechanisms(authContextOf(session, dialogue.failures))
  return usable.filter((mechanism) => signInRefusal(dialogue, mechanism) === undefined)
}

/** Whether the peer may say by XCLIENT whom it speaks for: it is one of the site's proxies, and has not said so yet. */
export function offersXclient({ session, forwarded }: Dialogue): boolean {
  return session.isProxy && forwarded.address === undefined
}

/** Why nobody may sign in here and now by this mechanism; undefined when they may try. */
export function signInRefusal({ connector, session }: Dialogue, mechanism: string): Reply | undefined {
  if (!may(connector, true, 'submit')) return REPLIES.notImplemented
  if (connector.requireTls && session.leg.tls === undefined) return REPLIES.startTlsFirst
  // Who proves nothing by ANONYMOUS (RFC 4505) would have the rights of those who have proved who they are.
  if (mechanism === 'ANONYMOUS' || connector.mechanisms?.includes(mechanism) === false)
    return AUTH_FAILURES['mechanism-unavailable']
  return undefined
}

/** Why the client may not send, or not as this sender; undefined when it may. */
export function senderRefusal(dialogue: Dialogue, sender: Mailbox | undefined): Reply | undefined {
  const { connector, session, authenticated } = dialogue
  if (connector.requireTls && session.leg.tls === undefined) return REPLIES.startTlsFirst
  const signedIn = isSignedIn(dialogue)
  if (!may(connector, signedIn, 'submit')) {
    if (signedIn || !may(connector, true, 'submit')) return REPLIES.mayNotSubmit
    const encryptFirst = canStartTls(dialogue) && offeredMechanisms(dialogue).length === 0
    return encryptFirst ? REPLIES.startTlsFirst : AUTH_FAILURES['not-authenticated']
  }
  const { authenticator } = session.services
  const accountOf = (name: string) => authenticator.accountOf(name)
  return maySendAs(connector, authenticated?.principal, sender, accountOf) ? undefined : REPLIES.notYourSender
}

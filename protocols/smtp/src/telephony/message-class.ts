// SPDX-License-Identifier: MIT

/** What kind of call a message tells of or stands for. */
export const MESSAGE_CLASSES = ['voice', 'fax', 'missed-call', 'pager', 'video', 'multimedia', 'text'] as const

export type MessageClass = (typeof MESSAGE_CLASSES)[number]

/**
 * Why it is taken for that, the strongest first: it comes from a partner who sends nothing else, `Content-Class`, `Message-Context`
 * (RFC 3458), a voice message of VPIM (RFC 3801), fields about the call, or whom it is for.
 */
export type Evidence = 'partner' | 'content-class' | 'message-context' | 'vpim' | 'fields' | 'recipient'

/** What a message is, and why. */
export interface Classification {
  readonly messageClass: MessageClass
  readonly evidence: Evidence
}

/** Values of Message-Context (RFC 3458 section 6, RFC 3938). No field says that a call was missed. */
export const CONTEXTS: readonly (readonly [context: string, messageClass: MessageClass])[] = [
  ['voice-message', 'voice'],
  ['fax-message', 'fax'],
  ['pager-message', 'pager'],
  ['video-message', 'video'],
  ['multimedia-message', 'multimedia'],
  ['text-message', 'text'],
]

/** The value of Message-Context for a class. */
export function contextOf(messageClass: MessageClass): string | undefined {
  return CONTEXTS.find(([, meant]) => meant === messageClass)?.[0]
}

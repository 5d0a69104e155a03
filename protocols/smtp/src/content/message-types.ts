// SPDX-License-Identifier: MIT
import type { HeaderFields } from '../message/header-fields.js'
import type { MessageType } from './content.js'
import { type MimeField, parameterOf, parseMimeField } from './mime-field.js'

const NONE: ReadonlySet<MessageType> = new Set()

/** What kind of message it is, as far as its header section tells. */
export function headerTypes(fields: HeaderFields): ReadonlySet<MessageType> {
  const text = (name: string) => fields.first(name)?.text().toLowerCase() ?? ''
  const types = new Set<MessageType>(partTypes(parseMimeField(fields.first('content-type')?.text() ?? ''), true))
  if (isAutoReply(text)) types.add('auto-reply')
  if (isAutoForward(text)) types.add('auto-forward')
  const contentClass = text('content-class')
  if (contentClass === 'urn:content-classes:calendarmessage') types.add('calendaring')
  if (contentClass === 'rpmsg.message') types.add('permission-controlled')
  return types
}

/** What a part makes of its message. `whole`: it is the message itself. */
export function partTypes(contentType: MimeField, whole: boolean): ReadonlySet<MessageType> {
  switch (contentType.value) {
    case 'text/calendar':
      return new Set(['calendaring'])
    case 'application/x-microsoft-rpmsg-message':
      return new Set(['permission-controlled'])
    case 'multipart/encrypted': // RFC 1847 section 2.2
      return whole ? new Set(['encrypted']) : NONE
    case 'multipart/signed': // RFC 1847 section 2.1
    case 'application/pkcs7-signature':
    case 'application/x-pkcs7-signature':
    case 'application/pgp-signature': // RFC 3156 section 5
      return new Set(['signed'])
    case 'application/pkcs7-mime':
    case 'application/x-pkcs7-mime':
      return whole ? smimeTypes(contentType) : NONE
    case 'multipart/report':
      return whole ? reportTypes(contentType) : NONE
    default:
      return NONE
  }
}

/** RFC 8551 section 3.2.2. Who does not say what it is has encrypted, most of the time. */
function smimeTypes(contentType: MimeField): ReadonlySet<MessageType> {
  switch (parameterOf(contentType, 'smime-type')?.toLowerCase()) {
    case 'signed-data':
      return new Set(['signed'])
    case 'certs-only':
    case 'compressed-data':
      return NONE
    default:
      return new Set(['encrypted'])
  }
}

/** RFC 6522 section 3: RFC 3464 and RFC 8098. */
function reportTypes(contentType: MimeField): ReadonlySet<MessageType> {
  switch (parameterOf(contentType, 'report-type')?.toLowerCase()) {
    case 'delivery-status':
      return new Set(['bounce'])
    case 'disposition-notification':
      return new Set(['read-receipt'])
    default:
      return NONE
  }
}

/**
 * RFC 3834 section 5. Exchange calls its own automatic replies generated, and asks at the same time that nobody reply to them; before
 * there was a standard, some said it in fields of their own.
 */
function isAutoReply(text: (name: string) => string): boolean {
  const submitted = text('auto-submitted')
  if (/^auto-replied\b/.test(submitted)) return true
  if (/^auto-generated\b/.test(submitted) && /\b(?:all|oof|autoreply)\b/.test(text('x-auto-response-suppress')))
    return true
  if (text('precedence') === 'auto_reply') return true
  return ['x-autoreply', 'x-autorespond'].some((name) => !['', 'no'].includes(text(name)))
}

/** RFC 2156 section 2.3.1.2 gives the field; others say it in their own. */
function isAutoForward(text: (name: string) => string): boolean {
  if (['autoforwarded', 'x-ms-exchange-organization-autoforwarded'].some((name) => text(name) === 'true')) return true
  return text('x-forwarded-to') !== '' && text('x-forwarded-for') !== ''
}

// SPDX-License-Identifier: MIT
import { REPLIES, type Reply } from '../replies.js'

/** How the octets of a message may look (RFC 6152, RFC 3030 section 3). */
export type Body = '7BIT' | '8BITMIME' | 'BINARYMIME'

/** What MAIL asks for beside its sender. */
export interface MailParameters {
  /** Declared size; 0 when none was (RFC 1870). */
  readonly size: number
  readonly body: Body | undefined
  /** SMTPUTF8 (RFC 6531). */
  readonly international: boolean
  /** RET (RFC 3461 section 4.3). */
  readonly ret: 'FULL' | 'HDRS' | undefined
  /** ENVID, still encoded (RFC 3461 section 4.4). */
  readonly envid: string | undefined
  /** REQUIRETLS (RFC 8689). */
  readonly requireTls: boolean
  /** MT-PRIORITY, -9 to 9 (RFC 6710). */
  readonly priority: number | undefined
}

/** What RCPT asks for beside its recipient (RFC 3461 sections 4.1 and 4.2). */
export interface RcptParameters {
  /** `NEVER`, or some of SUCCESS, FAILURE and DELAY, parted by commas. */
  readonly notify: string | undefined
  /** Address type and encoded address. */
  readonly orcpt: string | undefined
}

/** Keywords of the extensions that the client was offered. */
export interface Offered {
  has(keyword: string): boolean
}

type Given = ReadonlyMap<string, string | undefined>
type Writable<T> = { -readonly [key in keyof T]: T[key] }

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/
/** Internationalized original recipients may hold UTF-8 as it is (RFC 6533 section 3). */
const XTEXT_OR_UTF8 = /^(?:[!-*,-<>-~\x80-\xff]|\+[0-9A-F]{2})+$/
const ADDRESS_TYPE = /^[A-Za-z0-9-]+$/
const MAX_ENVID = 100
const MAX_ORCPT = 500

/** Reads the parameters of MAIL; each is taken only where its extension was offered. */
export function readMailParameters(given: Given, offered: Offered): MailParameters | Reply {
  const read: Writable<MailParameters> = {
    size: 0,
    body: undefined,
    international: false,
    ret: undefined,
    envid: undefined,
    requireTls: false,
    priority: undefined,
  }
  for (const [keyword, value] of given) {
    const reader = MAIL[keyword]
    if (reader === undefined || !offered.has(reader.extension)) return REPLIES.unknownParameter
    if (!reader.read(value, read, offered)) return REPLIES.badArguments
  }
  return read
}

interface Reader {
  readonly extension: string
  /** False: the value is none of this parameter's. */
  read(value: string | undefined, into: Writable<MailParameters>, offered: Offered): boolean
}

const MAIL: Readonly<Record<string, Reader>> = {
  SIZE: {
    extension: 'SIZE',
    read(value, into) {
      if (value === undefined || !/^\d{1,20}$/.test(value)) return false
      into.size = Number(value)
      return true
    },
  },
  BODY: {
    extension: '8BITMIME',
    read(value, into, offered) {
      const body = value?.toUpperCase()
      if (body !== '7BIT' && body !== '8BITMIME' && !(body === 'BINARYMIME' && offered.has(body))) return false
      into.body = body
      return true
    },
  },
  SMTPUTF8: {
    extension: 'SMTPUTF8',
    read(value, into) {
      into.international = true
      return value === undefined
    },
  },
  // Somebody else's claim about the sender; it is read and not passed on (RFC 4954 section 5).
  AUTH: { extension: 'AUTH', read: (value) => value !== undefined && (value === '<>' || XTEXT.test(value)) },
  RET: {
    extension: 'DSN',
    read(value, into) {
      const ret = value?.toUpperCase()
      if (ret !== 'FULL' && ret !== 'HDRS') return false
      into.ret = ret
      return true
    },
  },
  ENVID: {
    extension: 'DSN',
    read(value, into) {
      into.envid = value
      return value !== undefined && value.length <= MAX_ENVID && XTEXT.test(value)
    },
  },
  REQUIRETLS: {
    extension: 'REQUIRETLS',
    read(value, into) {
      into.requireTls = true
      return value === undefined
    },
  },
  'MT-PRIORITY': {
    extension: 'MT-PRIORITY',
    read(value, into) {
      if (value === undefined || !/^(?:0|-?[1-9])$/.test(value)) return false
      into.priority = Number(value)
      return true
    },
  },
}

/** Reads the parameters of RCPT. `international`: the message is SMTPUTF8. */
export function readRcptParameters(given: Given, offered: Offered, international: boolean): RcptParameters | Reply {
  const read: Writable<RcptParameters> = { notify: undefined, orcpt: undefined }
  for (const [keyword, value] of given) {
    if ((keyword !== 'NOTIFY' && keyword !== 'ORCPT') || !offered.has('DSN')) return REPLIES.unknownParameter
    if (keyword === 'NOTIFY') read.notify = readNotify(value)
    else read.orcpt = isOriginalRecipient(value, international) ? value : undefined
    if ((keyword === 'NOTIFY' ? read.notify : read.orcpt) === undefined) return REPLIES.badArguments
  }
  return read
}

const EVENTS = ['SUCCESS', 'FAILURE', 'DELAY']

function readNotify(value: string | undefined): string | undefined {
  const words = value?.toUpperCase().split(',') ?? []
  if (words.length === 1 && words[0] === 'NEVER') return 'NEVER'
  if (words.length === 0 || new Set(words).size < words.length) return undefined
  return words.every((word) => EVENTS.includes(word)) ? words.join(',') : undefined
}

function isOriginalRecipient(value: string | undefined, international: boolean): boolean {
  const semicolon = value?.indexOf(';') ?? -1
  if (value === undefined || semicolon === -1 || value.length > MAX_ORCPT) return false
  const type = value.slice(0, semicolon)
  const xtext = international && type.toLowerCase() === 'utf-8' ? XTEXT_OR_UTF8 : XTEXT
  return ADDRESS_TYPE.test(type) && xtext.test(value.slice(semicolon + 1))
}

/** What is known of a backend when a recipient is asked for there. */
export interface BackendFacts {
  readonly extensions: Offered
  /** Its connection is encrypted. */
  readonly encrypted: boolean
}

/** What a message needs and a backend does not have, as its recipients are told; undefined when nothing is missing. */
export function missingAt(mail: MailParameters, { extensions, encrypted }: BackendFacts): Reply | undefined {
  if (mail.international && !extensions.has('SMTPUTF8')) return REPLIES.noSmtpUtf8
  if (mail.body === '8BITMIME' && !extensions.has('8BITMIME')) return REPLIES.noEightBit
  if (mail.body === 'BINARYMIME' && !(extensions.has('BINARYMIME') && extensions.has('CHUNKING')))
    return REPLIES.noBinary
  if (mail.requireTls && !(extensions.has('REQUIRETLS') && encrypted)) return REPLIES.noRequireTls
  return undefined
}

/** MAIL with those parameters that the backend knows. A priority may be left out (RFC 6710 section 5), as may RET and ENVID. */
export function mailLine(reversePath: string, mail: MailParameters, extensions: Offered): string {
  let line = `MAIL FROM:<${reversePath}>`
  if (mail.size > 0 && extensions.has('SIZE')) line += ` SIZE=${mail.size}`
  if (mail.body !== undefined && extensions.has('8BITMIME')) line += ` BODY=${mail.body}`
  if (mail.international) line += ' SMTPUTF8'
  if (mail.ret !== undefined && extensions.has('DSN')) line += ` RET=${mail.ret}`
  if (mail.envid !== undefined && extensions.has('DSN')) line += ` ENVID=${mail.envid}`
  if (mail.requireTls) line += ' REQUIRETLS'
  if (mail.priority !== undefined && extensions.has('MT-PRIORITY')) line += ` MT-PRIORITY=${mail.priority}`
  return line
}

/**
 * RCPT with its parameters, or undefined where a backend without DSN cannot be asked: nobody would keep a promise of NEVER or
 * SUCCESS there. What asks for no more than senders get anyway is left out (RFC 3461 section 5.2.2).
 */
export function rcptLine(path: string, rcpt: RcptParameters, extensions: Offered): string | undefined {
  const line = `RCPT TO:<${path}>`
  const { notify, orcpt } = rcpt
  if (notify === undefined && orcpt === undefined) return line
  if (!extensions.has('DSN')) return notify !== undefined && /NEVER|SUCCESS/.test(notify) ? undefined : line
  return `${line}${notify === undefined ? '' : ` NOTIFY=${notify}`}${orcpt === undefined ? '' : ` ORCPT=${orcpt}`}`
}

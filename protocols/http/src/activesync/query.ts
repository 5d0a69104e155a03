// SPDX-License-Identifier: MIT
import { decodeBase64 } from '@portico/session'
import { decodeText } from '../codec/text.js'
import { decodeEscapes, readParameters } from '../routing/query.js'

/** What a command request of ActiveSync says of itself in its query ([MS-ASHTTP] section 2.2.1.1.1). */
export interface DeviceRequest {
  /** `Sync`, `Ping` …; `#` and its code when it has none that we know. */
  readonly command: string
  /** As written: any form of a user name. */
  readonly user: string | undefined
  /** Printable and short; octets that are no text in hexadecimal. */
  readonly deviceId: string | undefined
  readonly deviceType: string | undefined
  /** `14.1`; in the plain form a header field says it. */
  readonly protocolVersion: string | undefined
}

/** Commands by their code in the base64 form ([MS-ASHTTP] section 2.2.1.1.1.1.2). */
const COMMANDS: Readonly<Record<number, string>> = {
  0: 'Sync',
  1: 'SendMail',
  2: 'SmartForward',
  3: 'SmartReply',
  4: 'GetAttachment',
  9: 'FolderSync',
  10: 'FolderCreate',
  11: 'FolderDelete',
  12: 'FolderUpdate',
  13: 'MoveItems',
  14: 'GetItemEstimate',
  15: 'MeetingResponse',
  16: 'Search',
  17: 'Settings',
  18: 'Ping',
  19: 'ItemOperations',
  20: 'Provision',
  21: 'ResolveRecipients',
  22: 'ValidateCert',
}

/** The tag of the user's name among the parameters of the base64 form. */
const TAG_USER = 8

/** Longest device id and type that are believed; the specification has 32 for the id. */
const LONGEST = 64

/**
 * Reads the query of a POST in its plain or its base64 form. `undefined` when it names no command or cannot be what a device
 * says: a part twice or cut off, a device id that could not stand in a log.
 */
export function readDeviceRequest(query: string): DeviceRequest | undefined {
  const text = query.replace(/^\?/, '')
  const decoded = decodeEscapes(text)
  const octets = decoded === undefined ? undefined : decodeBase64(padded(decoded))
  return octets === undefined || octets.length === 0 ? plainForm(text) : base64Form(octets)
}

/** Some devices leave the padding out. */
function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function plainForm(text: string): DeviceRequest | undefined {
  const found = readParameters(text, ['cmd', 'user', 'deviceid', 'devicetype'])
  if (found?.cmd === undefined || !/^[A-Za-z]{1,32}$/.test(found.cmd)) return undefined
  const { cmd: command, user } = found
  const [deviceId, deviceType] = [found.deviceid || undefined, found.devicetype || undefined]
  if (!isLabel(deviceId) || !isLabel(deviceType)) return undefined
  return { command, user, deviceId, deviceType, protocolVersion: undefined }
}

/** Version, command, locale, then device id, policy key and device type with their lengths, then tagged parameters. */
function base64Form(octets: Buffer): DeviceRequest | undefined {
  const reader = new OctetReader(octets)
  const version = reader.number()
  const code = reader.number()
  reader.take(2)
  const deviceId = reader.counted()
  const policyKey = reader.counted()
  const deviceType = reader.counted()
  const user = userAmongTags(reader)
  if (!reader.good || version === undefined || code === undefined) return undefined
  if (deviceId === undefined || deviceType === undefined) return undefined
  if (policyKey?.length !== 0 && policyKey?.length !== 4) return undefined
  const [id, type] = [labelOf(deviceId), labelOf(deviceType)]
  if (!isLabel(id) || !isLabel(type)) return undefined
  return {
    command: COMMANDS[code] ?? `#${code}`,
    user,
    deviceId: id,
    deviceType: type,
    protocolVersion: (version / 10).toFixed(1),
  }
}

function userAmongTags(reader: OctetReader): string | undefined {
  let user: string | undefined
  while (reader.good && reader.left > 0) {
    const tag = reader.number()
    const value = reader.counted()
    if (tag !== TAG_USER || value === undefined) continue
    if (user !== undefined) reader.good = false
    user = decodeText(value)
    if (/[\0-\x1f\x7f]/.test(user)) reader.good = false
  }
  return user
}

/** Takes octets off the front; `good` becomes false when there are too few. */
class OctetReader {
  readonly #octets: Buffer
  #at = 0
  good = true

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  get left(): number {
    return this.#octets.length - this.#at
  }

  take(count: number): Buffer | undefined {
    if (this.left < count) this.good = false
    if (!this.good) return undefined
    this.#at += count
    return this.#octets.subarray(this.#at - count, this.#at)
  }

  number(): number | undefined {
    return this.take(1)?.[0]
  }

  /** An octet says how many follow. */
  counted(): Buffer | undefined {
    const count = this.number()
    return count === undefined ? undefined : this.take(count)
  }
}

/** Old devices have sixteen octets instead of text. */
function labelOf(octets: Buffer): string | undefined {
  if (octets.length === 0) return undefined
  const text = octets.toString('latin1')
  return /^[\x20-\x7e]+$/.test(text) ? text : octets.toString('hex')
}

/** May be absent; else short, printable, and without what separates the parts of lists and lines. */
function isLabel(text: string | undefined): boolean {
  return text === undefined || (text.length <= LONGEST && /^[\x20\x21\x23-\x2b\x2d-\x7e]*$/.test(text))
}

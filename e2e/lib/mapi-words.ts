// SPDX-License-Identifier: MIT
// MAPI over HTTP as [MS-OXCMAPIHTTP] has it: codes and bodies, for the stand-in of a server and for its client.

/** Values of X-ResponseCode (section 2.2.3.3.3). */
export const CODE = {
  success: 0,
  invalidVerb: 2,
  invalidPath: 3,
  invalidRequestType: 5,
  missingHeader: 7,
  anonymous: 8,
  contextNotFound: 10,
  invalidBody: 12,
  missingCookie: 13,
  invalidSequence: 15,
} as const

export const REQUEST_TYPES = ['Connect', 'Execute', 'Disconnect', 'NotificationWait', 'PING', 'Bind', 'Unbind'] as const
export type RequestType = (typeof REQUEST_TYPES)[number]

/** Bodies of requests (sections 2.2.4 and 2.2.5), each with an empty auxiliary buffer. */
export const REQUEST_BODIES: Readonly<Record<RequestType, (rops?: Buffer) => Buffer>> = {
  // UserDn, Flags, DefaultCodePage, LcidSort, LcidString.
  Connect: () => Buffer.concat([Buffer.from('/o=test/cn=alice\0'), numbers(0, 1252, 1033, 1033), NO_AUXILIARY]),
  // Flags, the ROP buffer with its size, MaxRopOut.
  Execute: (rops = Buffer.from('rops')) =>
    Buffer.concat([numbers(3, rops.length), rops, numbers(0x10008), NO_AUXILIARY]),
  Disconnect: () => NO_AUXILIARY,
  NotificationWait: () => Buffer.concat([numbers(0), NO_AUXILIARY]),
  PING: () => Buffer.alloc(0),
  // Flags and no STAT.
  Bind: () => Buffer.concat([numbers(0), Buffer.from([0]), NO_AUXILIARY]),
  Unbind: () => Buffer.concat([numbers(0), NO_AUXILIARY]),
}

/** The ROP buffer in the body of an Execute; `undefined` where it does not hold as much as it says. */
export function ropsIn(body: Buffer): Buffer | undefined {
  const size = body.length < 8 ? Number.POSITIVE_INFINITY : body.readUInt32LE(4)
  return body.length < 8 + size + 8 ? undefined : body.subarray(8, 8 + size)
}

/** Bodies of successful responses: StatusCode and ErrorCode, then what belongs to the type. */
export const RESPONSE_BODIES: Readonly<Record<RequestType, (rops: Buffer) => Buffer>> = {
  // PollsMax, RetryCount, RetryDelay, DnPrefix, DisplayName.
  Connect: () => Buffer.concat([numbers(0, 0, 60_000, 6, 10_000), Buffer.from('\0A\0\0\0'), NO_AUXILIARY]),
  Execute: (rops) => Buffer.concat([numbers(0, 0, 0, rops.length), rops, NO_AUXILIARY]),
  Disconnect: () => Buffer.concat([numbers(0, 0), NO_AUXILIARY]),
  // An event is pending.
  NotificationWait: () => Buffer.concat([numbers(0, 0, 1), NO_AUXILIARY]),
  PING: () => Buffer.alloc(0),
  Bind: () => Buffer.concat([numbers(0, 0), Buffer.alloc(16, 7), NO_AUXILIARY]),
  Unbind: () => Buffer.concat([numbers(0, 1), NO_AUXILIARY]),
}

/** The ROP buffer in the answer to an Execute. */
export function answeredRops(body: Buffer): Buffer {
  return body.subarray(16, 16 + body.readUInt32LE(12))
}

function numbers(...values: readonly number[]): Buffer {
  const text = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) text.writeUInt32LE(value, 4 * index)
  return text
}

const NO_AUXILIARY = numbers(0)

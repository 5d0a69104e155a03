// SPDX-License-Identifier: MIT
// The milter protocol's numbers, version 6. Names are those of libmilter's documentation as far as it has some.

/** The version that is spoken here, and the oldest that is understood. */
export const VERSION = 6
export const OLDEST = 2

/** What a milter may want to change (SMFIF). Never offered: another envelope sender, and macros of its own choice. */
export const ACTIONS = {
  addHeaders: 0x01,
  changeBody: 0x02,
  addRecipients: 0x04,
  deleteRecipients: 0x08,
  changeHeaders: 0x10,
  quarantine: 0x20,
} as const

/** What a milter may do without (SMFIP): `no…` an event, `quiet…` an answer of its own to one. */
export const STEPS = {
  noConnect: 0x01,
  noHelo: 0x02,
  noMail: 0x04,
  noRcpt: 0x08,
  noBody: 0x10,
  noHeaders: 0x20,
  noEndOfHeaders: 0x40,
  quietHeader: 0x80,
  noUnknown: 0x100,
  noData: 0x200,
  /** It may say that it has seen enough of a body. */
  skip: 0x400,
  quietConnect: 0x1000,
  quietHelo: 0x2000,
  quietMail: 0x4000,
  quietRcpt: 0x8000,
  quietData: 0x1_0000,
  quietUnknown: 0x2_0000,
  quietEndOfHeaders: 0x4_0000,
  quietBody: 0x8_0000,
  /** Values of header fields go both ways with the white space behind the colon. */
  leadingSpace: 0x10_0000,
} as const

/** Every step that may be left out or changed. */
export const ALL_STEPS = Object.values(STEPS).reduce((sum, step) => sum | step, 0)

/** What is told to a milter (SMFIC). */
export const COMMANDS = {
  abort: 'A',
  body: 'B',
  connect: 'C',
  macro: 'D',
  endOfBody: 'E',
  helo: 'H',
  header: 'L',
  mail: 'M',
  endOfHeaders: 'N',
  negotiate: 'O',
  quit: 'Q',
  rcpt: 'R',
  data: 'T',
} as const

export type Command = keyof typeof COMMANDS

/** Octets of a body in one frame. */
export const BODY_CHUNK = 65_535

/** Octets of the largest frame of a milter: a piece of a body, and which answer it is. */
export const LARGEST_FRAME = BODY_CHUNK + 1

// SPDX-License-Identifier: MIT
// The letters of a run. All of a letter follows from the seed and its number, so that nothing has to be kept to know it again.
import { createHash } from 'node:crypto'
import { pick, randomFrom } from './random.mjs'

const KIB = 1024
const SMALLEST = 4 * KIB
const USUAL = 100 * KIB
const BIG = 1024 * KIB
/** The first field of a letter: what stands before it in a mailbox was put there on the way. */
export const MARK = 'X-Never-Lose'

/** Lines that a careless hand damages: dots, nothing, blanks at the end, eight bits, as long as may be (RFC 5321 section 4.5.3.1.6). */
const DELICATE = [
  '.',
  '..',
  '.QUIT',
  '',
  ' ',
  'blank at the end ',
  '\t',
  'Grüße, 端末',
  `From ${'x'.repeat(993)}`,
  '354 go ahead',
]

/**
 * Letter `number`: who writes to whom, by which door, how it is sent. `users` are names of mailboxes.
 * @returns {{ number, id, door: 'inbound' | 'submission', sender, recipients: string[], how: 'data' | 'bdat', pipelined, cut, body: Buffer }}
 */
export function letterOf(seed, number, users) {
  const random = randomFrom(seed * 1_000_003 + number)
  const door = random() < 0.5 ? 'inbound' : 'submission'
  const first = pick(random, users)
  const second = random() < 0.15 ? pick(random, users) : first
  return {
    number,
    id: `${seed}.${number}@never-lose.example`,
    door,
    sender: door === 'submission' ? pick(random, users) : undefined,
    recipients: [...new Set([first, second])],
    how: random() < 0.4 ? 'bdat' : 'data',
    pipelined: random() < 0.5,
    /** The sender itself leaves in the middle of its first attempt. */
    cut: random() < 0.05,
    body: bodyOf(random, sizeOf(random)),
  }
}

/** Most are small; one in a hundred is large. */
function sizeOf(random) {
  if (random() < 0.01) return BIG
  return Math.round(SMALLEST * (USUAL / SMALLEST) ** (random() ** 2))
}

function bodyOf(random, size) {
  const lines = []
  for (let length = 0; length < size; ) {
    const line =
      random() < 0.1
        ? pick(random, DELICATE)
        : random()
            .toString(36)
            .repeat(1 + Math.floor(random() * 6))
    lines.push(line)
    length += line.length + 2
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n`)
}

/** What is sent at an attempt (they are numbered from 1), as it is before dots are doubled. */
export function textOf({ number, id, sender, recipients, body }, attempt) {
  const head = [
    `${MARK}: ${number}/${attempt}`,
    `From: ${sender ?? 'outside'}@test.lan`,
    `To: ${recipients.map((user) => `${user}@test.lan`).join(', ')}`,
    `Subject: letter ${number}`,
    'Date: Tue, 1 Sep 2026 12:00:00 +0000',
    `Message-ID: <${id}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

export const hashOf = (bytes) => createHash('sha256').update(bytes).digest('base64')

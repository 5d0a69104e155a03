// SPDX-License-Identifier: MIT
import { duration, type Settings, secret, z } from '@portico/config'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const timeout = () =>
  duration().refine((ms) => ms >= MINUTE && ms <= 30 * 24 * HOUR, 'expected a time from one minute to thirty days')

/** Shorter keys could be guessed: a cookie can be tried against them without asking anybody. */
const SHORTEST_KEY = 32

/** The block `http.forms`: our own sign-in page and the cookie that it hands out. */
export const formsSchema = z
  .strictObject({
    title: z.string().min(1).max(100).default('Mail').describe('What the sign-in page calls the service.'),
    logonFormat: z
      .enum(['principalName', 'userName', 'fullDomain'])
      .default('principalName')
      .describe(
        'What the page asks for: an address, a name without domain, or `domain\\user`. Other spellings are understood as far as the credentials know them.',
      ),
    defaultDomain: z
      .string()
      .regex(/^[A-Za-z0-9.-]+$/, 'expected a domain')
      .optional()
      .describe('Put behind names that are shown without one.'),
    publicPrivateChoice: z
      .boolean()
      .default(true)
      .describe('Ask whether others use the computer too; without the question it counts as private.'),
    publicTimeout: timeout()
      .default(15 * MINUTE)
      .describe('On a public computer a sign-in ends when nothing was asked for so long, up to half of it longer.'),
    privateTimeout: timeout()
      .default(8 * HOUR)
      .describe('The same on a private computer.'),
    longest: timeout()
      .default(24 * HOUR)
      .describe('After so long everybody signs in again, whatever was asked meanwhile.'),
    keys: z
      .array(
        secret().refine((key) => key.expose().length >= SHORTEST_KEY, `expected at least ${SHORTEST_KEY} characters`),
      )
      .default([])
      .describe(
        'Secrets that seal the cookies, the same on all nodes: the first seals, all of them open. Without any a secret is made and shared by way of `state`, which reaches one host: several nodes need keys.',
      ),
    hsts: duration()
      .default(0)
      .describe('Tells browsers on our own pages to use encryption only, for so long (RFC 6797); `0s` does not.'),
  })
  .prefault({})

export type FormsSettings = Settings<typeof formsSchema>

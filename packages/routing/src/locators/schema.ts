// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'

const domainName = () =>
  z
    .string()
    .min(1)
    .transform((text) => text.toLowerCase())
const group = () => z.string().min(1).describe('Name of a group under backends.')

const usersFile = z.strictObject({
  type: z.literal('users-file'),
  group: group().optional().describe('Group of users whose record names none; without it they are not found here.'),
  domains: z
    .array(domainName())
    .default([])
    .describe('Domains whose addresses belong to the user of the bare local part.'),
})

const authHttp = z.strictObject({
  type: z.literal('auth-http'),
  source: z.string().min(1).default('auth-http').describe('Name of the credential source that brings the route.'),
  group: group().describe('Group whose TLS and identity rules hold for the servers that the lookup names.'),
})

const rule = z.strictObject({
  type: z.literal('rule'),
  match: z
    .strictObject({
      domain: z
        .union([domainName().transform((one) => [one]), z.array(domainName()).min(1)])
        .optional()
        .describe('One or several domains, compared without case.'),
      user: z.string().min(1).optional().describe('The whole name, compared without case; * and ? are wild.'),
    })
    .refine((match) => match.domain !== undefined || match.user !== undefined, 'expected domain, user or both'),
  group: group(),
  host: z.string().min(1).optional().describe('One host of the group.'),
})

const hash = z.strictObject({
  type: z.literal('hash'),
  group: group().describe('Everybody is spread over the endpoints of this group.'),
  domains: z
    .array(domainName())
    .default([])
    .describe(
      'Domains whose addresses have a mailbox there. Others are not found, so that mail for strangers is refused.',
    ),
})

/** The `location` block: locators in the order in which they are asked. */
export const locationSchema = z
  .array(z.discriminatedUnion('type', [usersFile, authHttp, rule, hash]))
  .min(1)
  .describe('Where mailboxes live. Asked in order; the first that knows the mailbox decides.')

export type LocatorSettings = Settings<typeof locationSchema>[number]
/** The settings of one type of locator. */
export type SettingsOf<T extends LocatorSettings['type']> = Extract<LocatorSettings, { type: T }>

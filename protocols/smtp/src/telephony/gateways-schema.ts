// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { completeGateways } from './gateways.js'

const prefix = () => z.string().regex(/^\+[1-9]\d{0,14}$/, 'expected the beginning of a number, such as +4930')

const dialled = () => z.string().regex(/^\d{0,6}$/, 'expected digits')

const numbersSchema = z
  .strictObject({
    countryCode: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, 'expected digits, such as 49')
      .optional()
      .describe(
        'Country code of the site, without the plus sign. Without it only numbers with a plus sign are understood.',
      ),
    nationalPrefix: dialled()
      .default('0')
      .describe('What is dialled in front of a number of the own country; empty where nothing is.'),
    internationalPrefix: dialled()
      .refine((digits) => digits !== '', 'expected digits')
      .default('00')
      .describe('What is dialled in front of a country code; `011` in North America.'),
  })
  .prefault({})
  .describe('How numbers are dialled here (E.164).')

const withoutSignIn = z
  .strictObject({
    networks: z.array(z.string()).default([]).describe('Names of networks whose clients may.'),
    connectors: z.array(z.string()).default([]).describe('Names of connectors whose clients may.'),
  })
  .prefault({})
  .describe('Who may call without having signed in. Nobody by default: calls cost money.')

const rateSchema = z
  .strictObject({
    hour: z
      .int()
      .min(1)
      .default(30)
      .describe('Calls of one user in an hour: more than a person sends, and little to steal.'),
    day: z.int().min(1).default(100).describe('Calls of one user in a day, from midnight to midnight UTC.'),
  })
  .prefault({})
  .describe(
    'How often one user may call, or one address where nobody has signed in; more is put off with 450. While what counts together cannot be asked, nobody calls.',
  )

const gatewaySchema = z.strictObject({
  group: z.string().describe('Backend group of the gateway.'),
  domains: z
    .array(
      z
        .string()
        .regex(/^[^\s@*]+$/, 'expected a domain such as fax.example.org')
        .transform((text) => text.toLowerCase().replace(/\.$/, '')),
    )
    .min(1)
    .describe('Domains at which addresses with the name of the service belong to the gateway.'),
  address: z
    .enum(['normalized', 'as-written'])
    .default('normalized')
    .describe(
      'What the gateway is told. `normalized`: `FAX=+12027653000/T33S=1387`, with country code and without separators. `as-written`: the address as it came.',
    ),
  qualifiers: z
    .array(z.string().transform((name) => name.toUpperCase()))
    .default(['T33S'])
    .describe(
      'What may stand behind the number. The sub-address of a fax (RFC 3192 section 2) by default; digits that are dialled afterwards would get around `allow` and `deny`.',
    ),
  users: z.array(z.string()).min(1).optional().describe('Accounts that may call. All that have signed in when absent.'),
  withoutSignIn,
  allow: z
    .array(prefix())
    .min(1)
    .optional()
    .describe(
      'Beginnings of numbers that may be called; the longest one of `allow` and `deny` decides. When absent the own country. Numbers known to cost more, and those that nothing allows, may not.',
    ),
  deny: z.array(prefix()).default([]).describe('Beginnings of numbers that may not be called.'),
  rate: rateSchema,
})

export type WrittenGateway = Settings<typeof gatewaySchema>

/** The block `smtp.telephony`. */
export const gatewaysSchema = z
  .strictObject({
    numbers: numbersSchema,
    gateways: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected the name of a service in lower case, such as fax'),
        gatewaySchema,
      )
      .default({})
      .describe(
        'Gateways to telephones, by the service that addresses name: `fax` for `FAX=+12027653000@…` (RFC 3192), `voice` for `VOICE=` (RFC 3191), `sms` …',
      ),
  })
  .transform(completeGateways)
  .prefault({})
  .describe('Mail to telephones.')

export type WrittenTelephony = {
  readonly numbers: Settings<typeof numbersSchema>
  readonly gateways: Readonly<Record<string, WrittenGateway>>
}

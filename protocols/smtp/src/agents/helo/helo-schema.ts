// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { exceptRecipients } from '../address-list.js'
import { agentKeys, serviceKeys } from '../agent-type.js'

const check = (isOn: boolean, description: string) => z.boolean().default(isOn).describe(description)

/**
 * On are the checks of what the name is; off are those of whether it is true: no message may be refused for that (RFC 5321 section
 * 4.1.4), and a site that does so knows why.
 */
export const heloSchema = z
  .strictObject({
    type: z.literal('helo'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 10_000, whenAway: 'pass' }),
    ownName: check(true, 'Our own name, one of our domains, or our address, said by somebody else.'),
    badSyntax: check(true, 'What is neither a name nor an address literal (RFC 5321 section 4.1.2).'),
    bareAddress: check(true, 'An address without brackets (RFC 5321 section 4.1.3).'),
    noDot: check(true, 'A name without a dot, such as `localhost` (RFC 5321 section 2.3.5).'),
    foreignLiteral: check(
      false,
      'An address literal that is not the address of the client. Clients behind address translation do not know better.',
    ),
    unresolvable: check(
      false,
      'A name for which the DNS has neither an address nor a mail server. RFC 5321 section 4.1.4 forbids to refuse for it.',
    ),
    otherAddress: check(
      false,
      'A name that does not have the address of the client. RFC 5321 section 4.1.4 forbids to refuse for it.',
    ),
    noReverseName: check(false, 'A client whose address has no name in the DNS.'),
    falseReverseName: check(false, 'A client whose address has names in the DNS, none of which leads back to it.'),
    iprev: check(
      false,
      'Says in Authentication-Results whether the address has a name that leads back to it (RFC 8601 section 3).',
    ),
    exceptRecipients: exceptRecipients(),
  })
  .describe('What a client calls itself by HELO or EHLO. Whoever is refused is told so at each recipient.')

export type HeloSettings = Settings<typeof heloSchema>

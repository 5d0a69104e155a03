// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { say } from '../replies.js'
import { AddressList, exceptRecipients } from './address-list.js'
import { type Agent, type Opinion, PASS } from './agent.js'
import { type AgentProblem, type AgentType, agentBasics, agentKeys, type FileNeeds } from './agent-type.js'
import { listProblems, openList } from './list-file.js'
import { isNetwork, NetworkList, parseNetworkList, parseTimestamp } from './network-list.js'

const network = () => z.string().refine(isNetwork, 'expected an address or a CIDR block')

const entry = () =>
  z.union([
    network().transform((text) => ({ network: text, until: undefined })),
    z.strictObject({
      network: network().describe('An address or a CIDR block.'),
      until: z
        .string()
        .transform((text, context) => {
          const time = parseTimestamp(text)
          if (time !== undefined) return time
          context.addIssue({ code: 'custom', message: 'expected a time such as 2027-01-31T12:00:00Z' })
          return z.NEVER
        })
        .describe('The entry does not count any more from then on.'),
    }),
  ])

const schema = z
  .strictObject({
    type: z.literal('ip-list'),
    ...agentKeys({ action: 'reject' }),
    allow: z.array(entry()).default([]).describe('Clients whom no anti-spam agent is asked about.'),
    block: z.array(entry()).default([]).describe('Clients who are refused.'),
    allowFile: z
      .string()
      .optional()
      .describe(
        'File with more of them: an address or CIDR block a line, perhaps with `until 2027-01-31T12:00:00Z` behind it. Read again when it changes.',
      ),
    blockFile: z
      .string()
      .optional()
      .describe(
        'File with more of them: an address or CIDR block a line, perhaps with `until 2027-01-31T12:00:00Z` behind it. Read again when it changes.',
      ),
    when: z
      .enum(['rcpt', 'connect'])
      .default('rcpt')
      .describe(
        'When they are refused. `rcpt`: at each recipient, so that the log says whom they wrote to and `exceptRecipients` counts. `connect`: instead of a greeting.',
      ),
    exceptRecipients: exceptRecipients(),
  })
  .describe('Clients by their address.')

type IpListSettings = Settings<typeof schema>

const AT_RCPT: Opinion = {
  kind: 'against',
  reply: say(550, '5.7.1', 'Client address is blocked'),
  reason: 'address is blocked',
}
/** Instead of a greeting (RFC 5321 section 3.1). */
const AT_CONNECT: Opinion = {
  kind: 'against',
  reply: say(554, '5.7.1', 'Client address is blocked'),
  reason: 'address is blocked',
  close: true,
}
const EXEMPT: Opinion = { kind: 'exempt' }

/** Clients by their address: some are asked nothing more, some are refused. Throws when a file cannot be read. */
function make(settings: IpListSettings, files: FileNeeds): Agent {
  const allowFile = openList(settings.allowFile, parse, files)
  const blockFile = openList(settings.blockFile, parse, files)
  const allow = listOf(settings.allow)
  const block = listOf(settings.block)
  const excepted = new AddressList(settings.exceptRecipients)
  const listed = (address: string, list: { holds(address: string, now: number): boolean } | undefined): boolean =>
    list?.holds(address, files.clock.wallNow()) === true
  return {
    name: 'ip-list',
    antiSpam: true,
    ...agentBasics(settings),
    open(session) {
      let blocked = false
      return {
        connect() {
          const { address } = session.peer
          if (listed(address, allow) || listed(address, allowFile?.current)) return EXEMPT
          if (!listed(address, block) && !listed(address, blockFile?.current)) return PASS
          if (settings.when === 'connect') return AT_CONNECT
          blocked = true
          return PASS
        },
        rcpt: ({ recipient }) => (blocked && !excepted.holds(recipient) ? AT_RCPT : PASS),
      }
    },
  }
}

function listOf(entries: IpListSettings['block']): NetworkList {
  return new NetworkList(entries.map(({ network, until }) => (until === undefined ? { network } : { network, until })))
}

function problems(settings: IpListSettings, { pathOf }: Pick<FileNeeds, 'pathOf'>): readonly AgentProblem[] {
  return (['allowFile', 'blockFile'] as const).flatMap((key) => listProblems(key, settings[key], parse, pathOf))
}

function parse(text: string): NetworkList {
  return new NetworkList(parseNetworkList(text))
}

/** The agent type `ip-list`. */
export const ipList: AgentType<IpListSettings> = { type: 'ip-list', priority: 10, schema, make, problems }

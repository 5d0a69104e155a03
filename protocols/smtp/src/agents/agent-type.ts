// SPDX-License-Identifier: MIT
import type { Clock } from '@portico/base'
import { duration, z } from '@portico/config'
import type { TimerWheel } from '@portico/net'
import type { SiteFacts } from '@portico/session'
import type { StateStore } from '@portico/state'
import type { Log } from '@portico/telemetry'
import { mailboxOf } from '../address.js'
import type { Action, Agent } from './agent.js'
import type { DnsResolver } from './dns/dns-resolver.js'

/** What agents may use of the rest: made once for each configuration. */
export interface AgentNeeds {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Log
  readonly state: StateStore
  /** The name servers of the site. */
  readonly resolver: DnsResolver
  /** Our own name. */
  readonly hostname: string
  /** The mail domains of all connectors, in lower case. */
  readonly domains: readonly string[]
  /** Where a file is that the configuration names. */
  pathOf(path: string): string
  /** Disposes of something when the configuration is no longer used. */
  disposeWhenRetired(resource: Disposable): void
}

/** What of that an agent needs that reads a file and looks whether it has changed. */
export type FileNeeds = Pick<AgentNeeds, 'clock' | 'log' | 'pathOf'>

/** What is wrong with an agent's settings beyond their form: keys below the agent's own block. */
export interface AgentProblem {
  readonly path: readonly (string | number)[]
  readonly expectation: string
}

/** What the blocks of all agents have in common for whoever places them. */
export interface AgentBlock {
  readonly type: string
  readonly connectors?: readonly string[] | undefined
  readonly priority?: number | undefined
}

/** A type of agents: its block of the configuration, its place in the order of asking, and how one is made. */
export interface AgentType<S extends AgentBlock> {
  readonly type: string
  /** Those with a lower number are asked first. */
  readonly priority: number
  /** It is asked at all connectors where the site does not name some; others only where people send who have not signed in. */
  readonly everywhere?: true
  readonly schema: z.ZodType<S> & z.core.$ZodTypeDiscriminable
  /** Throws when a file of its cannot be read. */
  make(settings: S, needs: AgentNeeds): Agent
  problems?(settings: S, site: Pick<SiteFacts, 'pathOf'>): readonly AgentProblem[]
}

/** The keys by which every agent is placed, whatever it does. */
export function placeKeys() {
  return {
    connectors: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Names of the connectors where it is asked. When absent those where people send who have not signed in; for `rules` and `telephony` all.',
      ),
    audit: z.boolean().default(false).describe('It says in the log what it would have done, and changes nothing.'),
    priority: z
      .int()
      .min(0)
      .max(999)
      .optional()
      .describe('Those with a lower number are asked first; when absent as the table of the agents says.'),
  }
}

const quarantine = z.strictObject({
  quarantine: z
    .string()
    .refine((text) => text.includes('@') && mailboxOf(text) !== undefined, 'expected an address')
    .describe('The mailbox that gets the message instead of its recipients.'),
})

/** What becomes of findings. */
export function actionSchema(): z.ZodUnion<
  [z.ZodEnum<{ reject: 'reject'; tempfail: 'tempfail'; tag: 'tag' }>, typeof quarantine]
> {
  return z.union([z.enum(['reject', 'tempfail', 'tag']), quarantine])
}

/** The keys of an agent that judges: its place, and what becomes of what it finds. */
export function agentKeys({ action }: { readonly action: Exclude<Action, object> }) {
  return {
    ...placeKeys(),
    action: actionSchema()
      .default(action)
      .describe(
        'What becomes of what it finds. `reject`: refused for good. `tempfail`: put off. `tag`: the message goes on with `X-Portico-Finding`. `quarantine`: an address that gets it instead of its recipients.',
      ),
    scl: z
      .int()
      .min(-1)
      .max(9)
      .optional()
      .describe('Spam confidence level of what it tags or puts into quarantine (`X-MS-Exchange-Organization-SCL`).'),
  }
}

/** The keys of an agent that asks a service. */
export function serviceKeys(defaults: { readonly deadline: number; readonly whenAway: 'pass' | 'tempfail' }) {
  return {
    deadline: duration()
      .refine((ms) => ms > 0, 'expected a time')
      .default(defaults.deadline)
      .describe('Time for one answer.'),
    whenAway: z
      .enum(['pass', 'tempfail'])
      .default(defaults.whenAway)
      .describe(
        'When it does not answer. `pass`: as if it had nothing to say. `tempfail`: the client is to try again later.',
      ),
  }
}

interface Basics {
  readonly audit: boolean
  readonly action?: Action
  readonly scl?: number | undefined
  readonly deadline?: number
  readonly whenAway?: 'pass' | 'tempfail'
}

/** What every agent says of itself, from the keys above. */
export function agentBasics({ audit, action = 'reject', scl, deadline, whenAway = 'pass' }: Basics) {
  return { audit, action, scl, deadline, whenAway } as const
}

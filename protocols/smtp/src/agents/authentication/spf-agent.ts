// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { say } from '../../replies.js'
import { type MailFacts, type Opinion, PASS } from '../agent.js'
import { type AgentType, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import { authenticationOf } from './authentication.js'
import { loadSpf } from './mailauth.js'
import { receivedSpf, type SpfVerdict, spfResult, spfText } from './spf.js'

const consequence = (use: 'action' | 'pass', result: string) =>
  z.enum(['action', 'pass']).default(use).describe(`What becomes of ${result}: the action of this block, or nothing.`)

const schema = z
  .strictObject({
    type: z.literal('spf'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 20_000, whenAway: 'pass' }),
    fail: consequence('action', 'clients that the domain does not want to send for it'),
    softfail: consequence('pass', 'clients that the domain hardly wants to send for it'),
    temperror: consequence('pass', 'clients whose domain could not be asked; a refusal of them is always temporary'),
    permerror: consequence('pass', 'clients whose domain has a policy that nobody can use'),
    receivedSpf: z.boolean().default(false).describe('Messages get a Received-SPF field (RFC 7208 section 9.1), too.'),
  })
  .describe(
    'Whether the client may send for the domain of MAIL, or of its own name where there is no sender (SPF, RFC 7208).',
  )

type SpfSettings = Settings<typeof schema>

/** Checks clients against the policy of the sender's domain at MAIL, and says in the message what came of it. */
export const spf: AgentType<SpfSettings> = {
  type: 'spf',
  priority: 50,
  schema,
  make(settings, needs) {
    const authentication = authenticationOf(needs)
    // Failing to load it is told by the first check.
    loadSpf().catch(() => {})
    return {
      name: 'spf',
      antiSpam: true,
      ...agentBasics(settings),
      open: (session) => {
        let verdict: SpfVerdict | undefined
        return {
          async mail({ sender }: MailFacts, signal): Promise<Opinion> {
            verdict = undefined
            verdict = await authentication.spf(session, sender, signal, { anew: true })
            return opinionOf(verdict, settings)
          },
          ...(settings.receivedSpf ? { headers: () => withField(verdict, session.hostname) } : {}),
        }
      },
    }
  },
}

/** A field of that name that came along is of somebody else, and tells by its `receiver` of whom. */
function withField(verdict: SpfVerdict | undefined, hostname: string): Opinion {
  const field = verdict === undefined ? undefined : receivedSpf(verdict, hostname)
  return field === undefined ? PASS : { kind: 'pass', edits: { prepend: [field] } }
}

/** RFC 7208 section 8, with the codes of RFC 7372. */
function opinionOf(verdict: SpfVerdict, settings: SpfSettings): Opinion {
  const { result } = verdict
  const notes = { results: [spfResult(verdict)] }
  if (result === 'pass' || result === 'none' || result === 'neutral' || settings[result] === 'pass')
    return { kind: 'pass', notes }
  const text = `SPF: ${spfText(verdict)}`
  const [code, enhanced] = CODES[result]
  return {
    kind: 'against',
    reply: say(code, enhanced, text),
    reason: `spf=${result} ${verdict.domain ?? ''}`.trim(),
    notes,
  }
}

const CODES = {
  fail: [550, '5.7.23'],
  softfail: [550, '5.7.23'],
  permerror: [550, '5.7.24'],
  temperror: [451, '4.4.3'],
} as const

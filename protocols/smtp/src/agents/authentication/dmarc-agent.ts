// SPDX-License-Identifier: MIT
import { type Settings, z } from '@portico/config'
import { say } from '../../replies.js'
import type { Action, Notes, Opinion } from '../agent.js'
import { type AgentType, actionSchema, agentBasics, agentKeys, serviceKeys } from '../agent-type.js'
import type { ArcVerdict } from './arc.js'
import { authenticationOf } from './authentication.js'
import { authorOf } from './author.js'
import { type DmarcVerdict, dmarcResult, drawn, judgeAuthor, type Proof, worst } from './dmarc.js'
import { isWithin } from './domains.js'
import { loadSpf } from './mailauth.js'
import type { SignatureVerdicts } from './signatures.js'
import type { SpfVerdict } from './spf.js'

const consequence = () => z.union([z.literal('pass'), actionSchema()])

const schema = z
  .strictObject({
    type: z.literal('dmarc'),
    ...agentKeys({ action: 'reject' }),
    ...serviceKeys({ deadline: 30_000, whenAway: 'pass' }),
    reject: consequence()
      .optional()
      .describe(
        'What becomes of messages that their domain wants to be rejected. When absent the action of this block.',
      ),
    quarantine: consequence()
      .default('tag')
      .describe('What becomes of messages that their domain wants to be put into quarantine.'),
    temperror: z
      .enum(['action', 'pass'])
      .default('pass')
      .describe(
        'What becomes of messages that cannot be judged for now: the action of this block, which is temporary then, or nothing.',
      ),
  })
  .describe(
    'Whether the domain of From stands behind a message, and what it wants to become of others (DMARC, RFC 9989).',
  )

type DmarcSettings = Settings<typeof schema>

/** Holds the author of messages against what SPF and DKIM prove. */
export const dmarc: AgentType<DmarcSettings> = {
  type: 'dmarc',
  priority: 53,
  schema,
  make(settings, needs) {
    const authentication = authenticationOf(needs)
    // Failing to load it is told by the first check.
    loadSpf().catch(() => {})
    return {
      name: 'dmarc',
      antiSpam: true,
      ...agentBasics(settings),
      open: (session) => ({
        concluded: () => authentication.concluded(session),
        async dataEnd(facts, signal): Promise<Opinion> {
          const author = authorOf(facts.fields)
          if (author.kind === 'bad') return notOneAuthor(author.why)
          if (author.kind === 'none') return { kind: 'pass', notes: { results: [NO_AUTHOR] } }
          const [spf, signatures] = await Promise.all([
            authentication.spf(session, facts.envelope.sender, signal, { anew: false }),
            authentication.signatures(facts, signal),
          ])
          const domains = authentication.domains(signal)
          const proofs = proofsOf(spf, signatures)
          const [first, ...others] = author.domains
          const verdict = worst([
            await judgeAuthor(first, proofs, domains),
            ...(await Promise.all(others.map((domain) => judgeAuthor(domain, proofs, domains)))),
          ])
          const sealer = sealerFor(verdict, signatures.arc, (name) => authentication.trusts(session, name))
          return opinionOf(verdict, sealer, settings)
        },
      }),
    }
  },
}

const NO_AUTHOR = { method: 'dmarc', result: 'none', comment: 'From names no domain', properties: [] } as const

/** What a message was proved to be, or may yet be. */
export function proofsOf(spf: SpfVerdict, { dkim }: SignatureVerdicts): readonly Proof[] {
  const proofs: Proof[] = dkim.flatMap(({ result, domain }) =>
    domain !== undefined && (result === 'pass' || result === 'temperror')
      ? [{ method: 'dkim', domain, pending: result === 'temperror' }]
      : [],
  )
  if (spf.domain === undefined || !(spf.result === 'pass' || spf.result === 'temperror')) return proofs
  return [...proofs, { method: 'spf', domain: spf.domain, pending: spf.result === 'temperror' }]
}

/**
 * Who is believed to have seen the message satisfy DMARC before it was changed (RFC 8617 section 7.2.1): all who sealed it since are
 * believed, too.
 */
export function sealerFor(
  { domain }: Pick<DmarcVerdict, 'domain'>,
  { seals }: Pick<ArcVerdict, 'seals'>,
  trusts: (sealer: string) => boolean,
): string | undefined {
  for (const { sealer, results } of seals) {
    if (!trusts(sealer)) return undefined
    const passed = results.some(
      ({ method, result, properties }) =>
        method === 'dmarc' && result === 'pass' && isWithin(domain, properties.get('header.from')?.toLowerCase() ?? ''),
    )
    if (passed) return sealer
  }
  return undefined
}

/** `random`: a number from 0 to below 1 for domains that want only some messages treated so. */
export function opinionOf(
  verdict: DmarcVerdict,
  sealer: string | undefined,
  settings: DmarcSettings,
  random: () => number = Math.random,
): Opinion {
  const { result, domain, policy = 'none', percent = 100 } = verdict
  if (result === 'temperror' && settings.temperror === 'action') {
    const reply = say(451, '4.4.3', `The DMARC policy of ${domain} cannot be looked at for now`)
    return { kind: 'against', reply, reason: `dmarc=temperror ${domain}`, notes: { results: [dmarcResult(verdict)] } }
  }
  if (result !== 'fail') return { kind: 'pass', notes: { results: [dmarcResult(verdict)] } }
  if (sealer !== undefined) {
    const kept = dmarcResult(verdict, { policy: 'none', comment: `kept, for ${sealer} has sealed that it passed` })
    return { kind: 'pass', notes: { results: [kept] } }
  }
  const applied = drawn(policy, percent, random)
  const notes = { results: [dmarcResult(verdict, { policy: applied })] }
  const action = applied === 'none' ? 'pass' : (settings[applied] ?? settings.action)
  if (action === 'pass') return { kind: 'pass', notes }
  return against(domain, action, applied, notes)
}

/** RFC 7489 section 10.3. */
function against(domain: string, action: Action, applied: string, notes: Notes): Opinion {
  const reply = say(550, '5.7.1', `Message refused by the DMARC policy of ${domain}`)
  return { kind: 'against', reply, action, reason: `dmarc=fail ${domain} (p=${applied})`, notes }
}

/** RFC 7489 section 6.6.1. */
function notOneAuthor(why: string): Opinion {
  const results = [{ method: 'dmarc', result: 'permerror', comment: why, properties: [] }]
  const reply = say(550, '5.7.1', `Message refused: ${why}`)
  return { kind: 'against', reply, reason: `dmarc=permerror ${why}`, notes: { results } }
}

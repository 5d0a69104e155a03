// SPDX-License-Identifier: MIT
import { clientKey } from '@portico/net'
import type { Mailbox } from '../address.js'
import type { Dialogue } from '../dialogue.js'
import { formatReply, REPLIES, type Reply, say } from '../replies.js'
import { countCall } from './count-calls.js'
import { type Call, type Called, calledBy, type Gateway } from './gateways.js'

/** Who wants to call. */
export interface Caller {
  /** Undefined where nobody has signed in. */
  readonly user: string | undefined
  readonly connector: string
  readonly networks: readonly string[]
}

type Refusal = 'no number' | 'not signed in' | 'user' | 'number'

const REFUSALS: Readonly<Record<Refusal, Reply>> = {
  'no number': say(550, '5.1.3', 'Not a telephone number that can be called from here'),
  'not signed in': say(550, '5.7.1', 'Sign in to call telephones'),
  user: say(550, '5.7.1', 'Your account may not call telephones'),
  number: say(550, '5.7.1', 'This number may not be called from here'),
}
const TOO_MANY = say(450, '4.7.1', 'Too many calls, try again later')

/** Why a call may not be made; undefined where it may. A stranger does not learn which numbers may be called. */
export function refusedCall(called: Called, caller: Caller): Refusal | undefined {
  const { gateway } = called
  if (caller.user === undefined && !mayWithoutSignIn(gateway, caller)) return 'not signed in'
  if (caller.user !== undefined && gateway.users?.has(caller.user.toLowerCase()) === false) return 'user'
  if (called.kind === 'bad') return 'no number'
  return gateway.prefixes.allows(called.number) ? undefined : 'number'
}

function mayWithoutSignIn({ withoutSignIn }: Gateway, { connector, networks }: Caller): boolean {
  return withoutSignIn.connectors.includes(connector) || networks.some((name) => withoutSignIn.networks.includes(name))
}

/** Why the client may not call, as it is told; undefined where it may. Refusals are in the log: they are what fraud leaves behind. */
export function tollRefusal(dialogue: Dialogue, called: Called): Reply | undefined {
  const { session, connector } = dialogue
  const user = userOf(dialogue)
  const why = refusedCall(called, { user, connector: connector.name, networks: session.networks })
  if (why === undefined) return undefined
  tell(dialogue, 'a call is refused', called, why)
  return REFUSALS[why]
}

const HOUR = 3_600_000

/** Counts the call; what the client is told where there have been too many, or nobody knows. Where it is told nothing the call is made. */
export async function spendCall(dialogue: Dialogue, call: Call): Promise<Reply | undefined> {
  const { session } = dialogue
  const { services, leg, signal } = session
  const { rate, service } = call.gateway
  const account = accountOf(dialogue)
  const who = account === undefined ? `address ${clientKey(leg.facts.peer)}` : `user ${account}`
  const limits = [
    { most: rate.hour, windowMs: HOUR },
    { most: rate.day, windowMs: 24 * HOUR },
  ]
  for (const limit of limits) {
    const key = `smtp calls ${service} ${who}`
    const counted = await countCall(services.state, key, limit, services.clock.wallNow(), signal)
    if (counted === 'counted') continue
    tell(dialogue, 'a call is put off', call, counted === 'full' ? 'too many' : 'not counted')
    return counted === 'full' ? TOO_MANY : REPLIES.backendTrouble
  }
  tell(dialogue, 'a call goes to its gateway', call)
  return undefined
}

/**
 * Why a recipient whom agents have added may not be called; undefined where it may, or is no telephone. That somebody has signed in
 * does not matter, for the site has added it; which numbers may be called and how often holds for everybody.
 */
export async function addedCallRefusal(dialogue: Dialogue, mailbox: Mailbox): Promise<string | undefined> {
  const called = calledBy(dialogue.settings, mailbox)
  if (called?.kind !== 'call') return undefined
  if (!called.gateway.prefixes.allows(called.number)) return 'number may not be called'
  const spent = await spendCall(dialogue, called)
  return spent && formatReply(spent).trimEnd()
}

function userOf({ authenticated }: Dialogue): string | undefined {
  return authenticated?.principal.user
}

/** Who acts for many has no more calls than others: one stolen password is one account. */
function accountOf({ authenticated }: Dialogue): string | undefined {
  return authenticated?.principal.delegate ?? authenticated?.principal.user
}

function tell(dialogue: Dialogue, message: string, called: Called, why?: string): void {
  const { session, connector } = dialogue
  session.services.log.info(message, {
    session: session.id,
    client: session.leg.facts.peer.address,
    connector: connector.name,
    user: userOf(dialogue),
    service: called.gateway.service.toLowerCase(),
    number: called.kind === 'call' ? called.number : undefined,
    why,
  })
}

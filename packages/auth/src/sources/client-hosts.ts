// SPDX-License-Identifier: MIT
import { Resolver } from 'node:dns/promises'
import type { Clock, Endpoint } from '@portico/base'
import { type Bounded, createBounded } from '../bounded.js'

/** Host names of clients, as nginx's mail proxy tells them to `auth_http`. */
export interface ClientHosts {
  /**
   * The name that the address has in DNS and that leads back to it; `[UNAVAILABLE]` when there is none, `[TEMPUNAVAIL]` when DNS
   * does not answer. Undefined for a Unix socket. Settles always.
   */
  nameOf(client: Endpoint): Promise<string | undefined>
}

/** What is asked of DNS; rejects as `node:dns` does. */
export type Dns = Pick<Resolver, 'reverse' | 'resolve4' | 'resolve6'>

const NONE = '[UNAVAILABLE]'
const LATER = '[TEMPUNAVAIL]'
const NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/
const MOST_REMEMBERED = 10_000
const REMEMBERED_MS = 300_000
const ABSENT: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/** Answers are remembered for five minutes, and an address is asked for once at a time. */
export function createClientHosts(clock: Clock, dns: Dns = new Resolver({ timeout: 1_000, tries: 2 })): ClientHosts {
  const known: Bounded<string> = createBounded({ max: MOST_REMEMBERED, ttlMs: REMEMBERED_MS, clock })
  const running = new Map<string, Promise<string>>()
  const ask = async (client: Endpoint): Promise<string> => {
    const name = await lookUp(dns, client)
    if (name !== LATER) known.set(client.address, name)
    running.delete(client.address)
    return name
  }
  return {
    async nameOf(client) {
      if (client.family === 'unix') return undefined
      const { address } = client
      const remembered = known.get(address)
      if (remembered !== undefined) return remembered
      const asked = running.get(address) ?? ask(client)
      running.set(address, asked)
      return asked
    },
  }
}

/** Anybody may give an address any name; only the owner of the name can let it lead to the address. */
async function lookUp(dns: Dns, { address, family }: Endpoint): Promise<string> {
  try {
    const [name = ''] = await dns.reverse(address)
    if (!NAME.test(name)) return NONE
    const addresses = family === 4 ? await dns.resolve4(name) : await dns.resolve6(name)
    return addresses.some((one) => sameAddress(one, address)) ? name : NONE
  } catch (error) {
    return ABSENT.has((error as { readonly code?: unknown }).code) ? NONE : LATER
  }
}

/** IPv6 addresses are written in more than one way. */
function sameAddress(a: string, b: string): boolean {
  return a === b || (a.includes(':') && canonical(a) === canonical(b))
}

function canonical(address: string): string | undefined {
  return URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`).hostname : undefined
}

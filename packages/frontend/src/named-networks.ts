// SPDX-License-Identifier: MIT
import { type Networks, networksOf } from '@portico/base'
import { ConfigError, type ConfigProblem } from '@portico/config'
import { BALANCERS } from './schema.js'

/** The configured networks by name. */
export interface NamedNetworks {
  /** Names of those that hold the address, in the order of the configuration. */
  namesOf(address: string): readonly string[]
  /** Peers that must send a PROXY header. */
  readonly balancers: Networks | undefined
}

/** Throws {@link ConfigError} for each entry that is no CIDR block. */
export function namedNetworks(settings: Readonly<Record<string, readonly string[]>>): NamedNetworks {
  const problems: ConfigProblem[] = []
  for (const [name, cidrs] of Object.entries(settings)) {
    cidrs.forEach((cidr, index) => {
      if (networksOrFault([cidr]) === undefined) {
        problems.push({ path: ['networks', name, index], expectation: 'expected an address or a CIDR block' })
      }
    })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const named = Object.entries(settings).map(([name, cidrs]) => [name, networksOf(cidrs)] as const)
  return {
    namesOf: (address) => named.filter(([, networks]) => networks.contains(address)).map(([name]) => name),
    balancers: named.find(([name]) => name === BALANCERS)?.[1],
  }
}

function networksOrFault(cidrs: readonly string[]): Networks | undefined {
  try {
    return networksOf(cidrs)
  } catch {
    return undefined
  }
}

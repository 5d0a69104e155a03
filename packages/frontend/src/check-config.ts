// SPDX-License-Identifier: MIT
import { accessRuleProblems, servedSchemes } from '@portico/auth'
import type { BackendIdentity } from '@portico/base'
import type { ConfigProblem } from '@portico/config'
import type { Topology } from '@portico/routing'
import { serverMechanisms } from '@portico/sasl'
import type { DeliveryProtocol, Protocol, SiteFacts } from '@portico/session'
import { reachesOtherHosts } from '@portico/state'
import { siteProblems, siteWarnings } from './check-sites.js'
import { placeOf } from './doors.js'
import { isToldOf } from './publication.js'
import { publishProblems } from './publish-schema.js'
import { BALANCERS, type FrontEndSettings } from './schema.js'
import { bringsPasswords, passwordProtocols, usableMechanisms } from './usable-mechanisms.js'

/** What no single key shows to be wrong: settings that cannot work together. */
export function checkConfig(
  settings: FrontEndSettings,
  topology: Topology,
  protocols: readonly Protocol<never>[],
  pathOf: SiteFacts['pathOf'],
): readonly ConfigProblem[] {
  const endpointProtocols = protocols.flatMap((protocol) => [protocol, ...(protocol.deliveries ?? [])])
  return [
    ...listenerProblems(settings),
    ...groupProblems(settings),
    ...locatorProblems(settings),
    ...exemptionProblems(settings),
    ...accessRuleProblems(settings.accessRules, settings.networks),
    ...publishProblems(settings),
    ...identityProblems(settings, topology, endpointProtocols),
    ...endpointProtocols.flatMap((protocol) => unknownIdentities(settings, topology, protocol)),
    ...siteProblems(settings),
    ...patienceProblems(settings),
    ...warmthProblems(settings),
    ...protocols.flatMap((protocol) => protocol.check?.(...ownPart(settings, topology, protocol, pathOf)) ?? []),
    ...mechanismProblems(settings, topology),
  ]
}

/** What works, but not as far as a site may expect: a sentence each. */
export function configWarnings(
  settings: FrontEndSettings,
  topology: Topology,
  protocols: readonly Protocol<never>[],
  pathOf: SiteFacts['pathOf'],
): readonly string[] {
  const own = (protocol: Protocol<never>) => protocol.warnings?.(...ownPart(settings, topology, protocol, pathOf)) ?? []
  return [...siteWarnings(settings), ...protocols.flatMap(own)]
}

function listenerProblems({ listeners, tls }: FrontEndSettings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const taken = new Map<string, number>()
  for (const { index, address, ...listener } of listeners) {
    const path = ['listeners', index]
    if (listener.transport === 'udp' && (listener.tls !== 'none' || address.kind === 'unix')) {
      const key = listener.tls === 'none' ? 'address' : 'tls'
      problems.push({ path: [...path, key], expectation: 'expected host:port and tls: none for datagrams' })
    }
    if (listener.tls !== 'none' && tls.length === 0) {
      problems.push({ path: [...path, 'tls'], expectation: `expected a certificate under tls for ${listener.tls}` })
    }
    if (listener.tls === 'none' && listener.clientCertificates !== undefined) {
      problems.push({ path: [...path, 'clientCertificates'], expectation: 'expected tls: starttls or implicit' })
    }
    const text = placeOf({ address, transport: listener.transport })
    const former = taken.get(text)
    if (former !== undefined && !text.endsWith(':0')) {
      problems.push({
        path: [...path, 'address'],
        expectation: `expected an address that listeners[${former}] has not taken`,
      })
    }
    taken.set(text, index)
  }
  return problems
}

function groupProblems({ location, backends }: FrontEndSettings): ConfigProblem[] {
  const known = Object.keys(backends)
  return location.flatMap((locator, index) => {
    const { group } = locator
    if (group === undefined || known.includes(group)) return []
    return [{ path: ['location', index, 'group'], expectation: `expected one of the groups ${known.join(', ')}` }]
  })
}

/** A protocol's own settings, and what it is told of the rest. */
function ownPart(
  settings: FrontEndSettings,
  topology: Topology,
  protocol: Protocol<never>,
  pathOf: SiteFacts['pathOf'],
): [own: never, site: SiteFacts] {
  const site = {
    listeners: settings.listeners.filter((listener) => listener.protocol === protocol.name),
    backendGroups: Object.keys(settings.backends),
    networks: Object.keys(settings.networks),
    mechanisms: usableMechanisms(settings, topology, protocol),
    schemes: servedSchemes(settings.credentials),
    identities: identitiesFor(settings, topology, protocol.name),
    balanced: (settings.networks[BALANCERS]?.length ?? 0) > 0,
    nodesShareState: reachesOtherHosts(settings.state),
    isToldOf: isToldOf(settings, protocol),
    partlyDeferred: settings.credentials.length > 1 && settings.credentials.some(({ type }) => type === 'deferred'),
    pathOf,
  }
  return [settings.protocols.get(protocol.name) as never, site]
}

function identitiesFor({ backends }: FrontEndSettings, topology: Topology, protocol: string): SiteFacts['identities'] {
  const entries = Object.keys(backends).flatMap((group) => {
    const [backend] = topology.backendsOf(group, protocol)
    return backend === undefined ? [] : [[group, backend.identity.kind] as const]
  })
  return new Map(entries)
}

/** A lookup that nobody asks knows no mailbox, and mail for all of them would be refused for good. */
function locatorProblems({ location, credentials }: FrontEndSettings): ConfigProblem[] {
  return location.flatMap((locator, index) => {
    if (locator.type === 'users-file' && !credentials.some(({ type }) => type === 'users-file')) {
      return [
        { path: ['location', index, 'type'], expectation: 'expected a users-file under credentials to look into' },
      ]
    }
    if (locator.type !== 'auth-http') return []
    const { source } = locator
    if (credentials.some(({ type, name }) => type === 'auth-http' && name === source)) return []
    return [{ path: ['location', index, 'source'], expectation: 'expected the name of an auth-http under credentials' }]
  })
}

function exemptionProblems({ auth, networks }: FrontEndSettings): ConfigProblem[] {
  return auth.exemptNetworks.flatMap((name, index) => {
    if (Object.hasOwn(networks, name)) return []
    return [{ path: ['auth', 'exemptNetworks', index], expectation: 'expected the name of one of the networks' }]
  })
}

/** A deferred login has proved nothing: a backend that trusts the front end would let everybody in. */
function identityProblems(
  { credentials, backends }: FrontEndSettings,
  topology: Topology,
  endpointProtocols: readonly DeliveryProtocol[],
): ConfigProblem[] {
  const deferred = credentials.findIndex(({ type }) => type === 'deferred')
  if (deferred < 0) return []
  return Object.keys(backends).flatMap((group) =>
    endpointProtocols.flatMap(({ name, identities }) => {
      const trusting = topology.backendsOf(group, name).find(({ identity }) => !provesItself(identity.kind))
      if (trusting === undefined) return []
      const proving = identities.includes('password') ? 'password' : 'none'
      return [
        {
          path: ['backends', group],
          expectation: `expected identity ${proving} for ${name}: credentials[${deferred}] is deferred, which proves nothing that ${trusting.identity.kind} could vouch for`,
        },
      ]
    }),
  )
}

/** An identity that the protocol has no word for would turn every sign-in away. */
function unknownIdentities(
  { backends }: FrontEndSettings,
  topology: Topology,
  { name, identities }: DeliveryProtocol,
): ConfigProblem[] {
  return Object.entries(backends).flatMap(([group, { protocols }]) => {
    const odd = topology.backendsOf(group, name).find(({ identity }) => !identities.includes(identity.kind))
    if (odd === undefined) return []
    const own = protocols.get(name)?.identity !== undefined
    const expectation = `expected ${identities.join(', ')} for ${name}, which cannot tell a backend the user by ${odd.identity.kind}`
    return [{ path: ['backends', group, ...(own ? [name] : []), 'identity'], expectation }]
  })
}

/** A mechanism that is named and could be offered on no listener is a mistake. */
function mechanismProblems(settings: FrontEndSettings, topology: Topology): ConfigProblem[] {
  const { mechanisms } = settings.auth
  if (bringsPasswords(settings)) return []
  const onlyPasswords = passwordProtocols(settings, topology)
  if (settings.listeners.some(({ protocol }) => !onlyPasswords.has(protocol))) return []
  return (mechanisms ?? []).flatMap((name, index) => {
    const leavesNone = serverMechanisms.find((one) => one.name === name)?.sendsPasswordInClear === false
    if (!leavesNone) return []
    const expectation = 'expected a mechanism that leaves a password: all backends have identity password'
    return [{ path: ['auth', 'mechanisms', index], expectation }]
  })
}

/** What lasts longer than everything that it is a part of would never be reached. */
function patienceProblems({ limits, backends }: FrontEndSettings): ConfigProblem[] {
  const { connect, openBackend } = limits
  const expectation = 'expected at most limits.openBackend, the time for all candidates together'
  const waits = Object.entries(backends).filter(([, { pool }]) => pool.wait > openBackend)
  return [
    ...(connect > openBackend ? [{ path: ['limits', 'connect'], expectation }] : []),
    ...waits.map(([group]) => ({ path: ['backends', group, 'pool', 'wait'], expectation })),
  ]
}

/** Ready connections that take all places and more would leave none to open. */
function warmthProblems({ backends }: FrontEndSettings): ConfigProblem[] {
  return Object.entries(backends).flatMap(([group, { pool }]) => {
    const { warm, endpointConnections } = pool
    if (warm === undefined || endpointConnections === undefined || warm <= endpointConnections) return []
    const expectation = `expected at most endpointConnections, ${endpointConnections}, instead of ${warm}`
    return [{ path: ['backends', group, 'pool', 'warm'], expectation }]
  })
}

/** `none` is for backends that ask nobody and so give nothing that is a user's; a deferred sign-in leaves no token to show. */
function provesItself(kind: BackendIdentity['kind']): boolean {
  return kind === 'password' || kind === 'token' || kind === 'none'
}

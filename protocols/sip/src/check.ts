// SPDX-License-Identifier: MIT
import type { ConfigProblem } from '@portico/config'
import type { SiteFacts } from '@portico/session'
import type { SipSettings } from './schema.js'

/** What no single key shows to be wrong. */
export function checkSip(settings: SipSettings, site: SiteFacts): readonly ConfigProblem[] {
  const unknown = settings.peers.networks.flatMap((name, index) =>
    site.networks.includes(name)
      ? []
      : [{ path: ['sip', 'peers', 'networks', index], expectation: 'expected the name of one of the networks' }],
  )
  return site.listeners.length === 0 ? unknown : [...unknown, ...listenerProblems(site), ...silence(settings)]
}

function listenerProblems({ listeners }: SiteFacts): readonly ConfigProblem[] {
  return listeners
    .filter(({ tls }) => tls === 'starttls')
    .map(({ index }) => ({
      path: ['listeners', index, 'tls'],
      expectation: 'expected none or implicit: SIP has no STARTTLS',
    }))
}

/** What would answer nobody, or with nothing but 404. */
function silence({ domains, peers, strangers }: SipSettings): readonly ConfigProblem[] {
  const nowhere = domains.length === 0
  const nobody = strangers === 'refuse' && peers.networks.length === 0 && !peers.certificates
  return [
    ...(nowhere ? [{ path: ['sip', 'domains'], expectation: 'expected the domains that mailboxes lie in' }] : []),
    ...(nobody
      ? [{ path: ['sip', 'peers'], expectation: 'expected networks or certificates of peers, or strangers: answer' }]
      : []),
  ]
}

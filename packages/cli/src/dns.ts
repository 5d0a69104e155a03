// SPDX-License-Identifier: MIT
import { isLoopback } from '@portico/base'
import type { FrontEndSettings } from '@portico/frontend'
import { type HttpSettings, webServices } from '@portico/http'
import { type DnsFacts, dnsText } from './dns-records.js'
import { checkFile } from './serve.js'

/** `portico dns`: the records of these domains, or of those that the configuration publishes. */
export async function dns(path: string, domains: readonly string[]): Promise<string> {
  const { settings, publication } = await checkFile(path)
  const asked = domains.length > 0 ? domains : publication.domains
  if (asked.length === 0) throw new Error('expected --domain, or publish.domains in the configuration')
  const facts: Omit<DnsFacts, 'domain'> = {
    offers: publication.offersFor({ networks: [], states: new Map() }),
    web: webServices(settings.protocols.get('http') as HttpSettings),
    takesMail: takesMail(settings),
    certificateNames: settings.tls.flatMap(({ names }) => names),
    hostname: settings.publish.host ?? settings.hostname,
  }
  return asked.map((domain) => dnsText({ ...facts, domain: domain.toLowerCase().replace(/\.$/, '') })).join('\n')
}

/** Whether other mail servers are served, at the one port that they know. */
function takesMail({ listeners }: FrontEndSettings): boolean {
  return listeners.some(
    ({ protocol, address }) =>
      protocol === 'smtp' && address.kind === 'tcp' && address.port === 25 && !isLoopback(address),
  )
}

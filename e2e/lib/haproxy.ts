// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, launch, privateFolder, type RunningServer, testCertificates } from '@portico/testkit'

/** One port of a balancer. */
export interface Balanced {
  /** Port on 127.0.0.1 that it carries connections to; of several each in turn, as far as they are healthy. */
  readonly to: number | readonly number[]
  /** Asks each over TLS for this page, ten times a second, and leaves out who does not say 200. */
  readonly healthPage?: string
  /** It takes TLS off, asking for a client certificate. */
  readonly terminates?: boolean
  /** HAProxy's word for the header that it sends. */
  readonly header: 'send-proxy' | 'send-proxy-v2' | 'send-proxy-v2-ssl-cn'
}

export interface Balancer<Name extends string> extends RunningServer {
  readonly ports: Readonly<Record<Name, number>>
}

/** HAProxy that connects from `source`, an address of the loopback network. */
export async function startHaproxy<Name extends string>(
  source: string,
  balanced: Readonly<Record<Name, Balanced>>,
): Promise<Balancer<Name>> {
  const folder = privateFolder('hap')
  const names = Object.keys(balanced) as Name[]
  const numbers = await freePorts(names.length)
  const ports = Object.fromEntries(names.map((name, index) => [name, numbers[index] ?? 0])) as Record<Name, number>
  const { ca, server } = testCertificates()
  const pem = join(folder, 'server.pem')
  writeFileSync(pem, readFileSync(server.certificateFile, 'utf8') + readFileSync(server.keyFile, 'utf8'), {
    mode: 0o600,
  })
  const blocks = names.map((name) => {
    const { to, terminates, header, healthPage } = balanced[name]
    const tls = terminates === true ? ` ssl crt ${pem} ca-file ${ca.certificateFile} verify optional` : ''
    const health = healthPage === undefined ? '' : `  option httpchk GET ${healthPage}\n`
    const check = health === '' ? '' : ' check inter 100ms fall 1 rise 1 check-ssl verify none check-send-proxy'
    const servers = [to]
      .flat()
      .map((port, index) => `  server portico${index} 127.0.0.1:${port} ${header} source ${source}${check}\n`)
    return `listen ${name}
  bind 127.0.0.1:${ports[name]}${tls}
  balance roundrobin
  retries 3
  option redispatch 1
${health}${servers.join('')}`
  })
  const file = join(folder, 'haproxy.cfg')
  const patience = ['connect', 'client', 'server', 'check'].map((what) => `  timeout ${what} 60s\n`).join('')
  writeFileSync(file, `global\n  nbthread 1\ndefaults\n  mode tcp\n${patience}${blocks.join('')}`)
  const logFile = join(folder, 'log')
  const running = await launch({ command: 'haproxy', args: ['-f', file, '-db'], folder, logFile, ports: numbers })
  return { ...running, ports }
}
